"""A container as a Kubernetes manifest describes it, made of Linux namespaces: no runtime, no image, no network."""
import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

from harness import Server, participants_text
from harness.clock import Clock
from harness.locate import build_dir, httpd
from harness.log import Log
from harness.server import MPM

# Arguments: the root, then "SOURCE TARGET ro|rw" lines of its mounts, then the command with which the user comes in.
ENTER = r"""
root=$1 mounts=$2
shift 2
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
while read -r source target mode; do
    mount --bind "$source" "$root$target"
    [ "$mode" = rw ] || mount -o remount,bind,ro "$root$target"
done <<END
$mounts
END
mount -o remount,bind,ro "$root"
cd "$root"
exec setsid chroot "$root" setpriv "$@"
"""
UNSHARE = ("unshare", "--mount", "--propagation=private", "--pid", "--fork", "--kill-child")


def unavailable():
    """Why there can be no container here, or None."""
    if os.getuid() != 0:
        return "only root can make the namespaces and owners of a container"
    if not httpd().startswith("/usr/"):
        return "httpd is not below /usr"
    if not all(shutil.which(name) for name in ("unshare", "setpriv", "setsid")):
        return "unshare, setpriv or setsid is not installed (util-linux)"
    done = subprocess.run([*UNSHARE, "sh", "-c", "mount -t proc proc /proc"], capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else f"namespaces are not allowed here: {done.stderr.strip()}"


class Process:
    """The process 1 of the container, known by its pid outside."""

    def __init__(self, outer):
        self.outer = outer
        children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children")
        deadline = time.monotonic() + 10
        found = []
        while not found and outer.poll() is None:
            assert time.monotonic() < deadline, "the container did not start"
            found = children.read_text().split()
        self.pid = int(found[0]) if found else None

    def send_signal(self, number):
        if self.pid and self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self):
        self.send_signal(signal.SIGTERM)

    def kill(self):
        self.send_signal(signal.SIGKILL)

    def poll(self):
        return self.outer.poll()

    def wait(self, timeout=None):
        return self.outer.wait(timeout)

    @property
    def returncode(self):
        return self.outer.returncode


class Container(Server):
    """`pod` is the manifest, `config` the whole httpd.conf without LoadModule, `script` what the container runs."""

    def __init__(self, site, pod, config, script):
        self.pod, self.script = pod, script
        self.user = pod["securityContext"]
        assert self.user.pop("runAsNonRoot") is True and self.user["runAsUser"] > 0
        # What ENTER and inside() do, and nothing else.
        assert pod["containers"][0]["securityContext"] == {
            "readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
        self.image = None
        self.copying = []
        super().__init__(site)
        self.image = self.root / "image"
        self.volumes = self.root / "volumes"
        self.log = Log(self.logs / "stderr.log")
        self.build_image(config)
        self.clock = Clock(self.image / "clock")

    # the image

    def build_image(self, config):
        mounts = [mount["mountPath"] for mount in self.pod["containers"][0]["volumeMounts"]]
        for name in ("proc", "dev", "etc", "tmp", "var/tmp", "srv/cgi-bin", "usr", "modules", "local/bin", *mounts):
            (self.image / name.lstrip("/")).mkdir(parents=True, exist_ok=True)
        for name in ("tmp", "var/tmp"):
            (self.image / name).chmod(0o1777)
        self.system = ["/usr"]
        for name in ("bin", "sbin", "lib", "lib64"):
            if os.path.islink(f"/{name}"):
                (self.image / name).symlink_to(os.readlink(f"/{name}"))
            elif os.path.isdir(f"/{name}"):
                (self.image / name).mkdir()
                self.system.append(f"/{name}")
        for name in ("ld.so.cache", "passwd", "group"):
            shutil.copy(f"/etc/{name}", self.image / "etc" / name)
        loads = []
        for name, path in self.modules:
            if path.is_relative_to(build_dir()):
                shutil.copy(path, self.image / "modules")
                path = f"/modules/{path.name}"
            loads.append(f"LoadModule {name}_module {path}\n")
        (self.image / "etc/httpd.conf").write_text("".join(loads) + MPM[self.site.mpm] + config)
        start = self.image / "local/bin/start-httpd"
        start.write_text(self.script)
        start.chmod(0o755)
        for mount in self.pod["containers"][0]["volumeMounts"]:
            self.make_volume(mount["name"])

    # volumes, with the owners and modes that the kubelet gives them

    def described(self, name):
        return next(volume for volume in self.pod["volumes"] if volume["name"] == name)

    def make_volume(self, name):
        path = self.volumes / name
        path.mkdir(parents=True)
        os.chown(path, 0, self.user["fsGroup"])
        path.chmod(0o2777 if "emptyDir" in self.described(name) else 0o2775)
        if "secret" in self.described(name):
            self.rotate(self.site.participants)

    def rotate(self, records):
        """What the kubelet does with a secret that changed: another directory, then the link ..data onto it."""
        volume = self.described("participants")
        path = self.volumes / "participants"
        new = path / f"..{time.monotonic_ns()}"
        new.mkdir()
        new.chmod(0o755)
        file = new / "participants.json"
        file.write_text(records if isinstance(records, str) else participants_text(records))
        os.chown(file, 0, self.user["fsGroup"])
        file.chmod(volume["secret"].get("defaultMode", 0o644) | 0o440)
        old = (path / "..data").resolve() if (path / "..data").exists() else None
        (path / "..data_tmp").symlink_to(new.name)
        os.rename(path / "..data_tmp", path / "..data")
        if old:
            shutil.rmtree(old)
        else:
            (path / "participants.json").symlink_to("..data/participants.json")

    # life

    def inside(self, *command):
        """The command line that runs a command in the container."""
        mounts = [f"{path} {path} ro" for path in self.system]
        mounts.append(f"{self.image}/local /usr/local ro")
        for mount in self.pod["containers"][0]["volumeMounts"]:
            source = self.volumes / mount["name"]
            mounts.append(f"{source} {mount['mountPath']} {'ro' if mount.get('readOnly') else 'rw'}")
        user = self.user
        return [*UNSHARE, "sh", "-euc", ENTER, "sh", str(self.image), "\n".join(mounts), f"--reuid={user['runAsUser']}",
                f"--regid={user['runAsGroup']}", f"--groups={user['fsGroup']}", "--no-new-privs", "--inh-caps=-all",
                "--bounding-set=-all", "--", *command]

    def environment(self):
        return {"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C",
                "INTERAUTH_TEST_CLOCK": "/clock"}

    def run(self, command):
        """The output of a shell command in another container of the same pod."""
        return subprocess.run(self.inside("sh", "-c", command), capture_output=True, text=True, env=self.environment(),
                              timeout=30, check=False)

    def cgid_listens(self):
        """Without root privileges, the daemon and the workers are one user: the socket has its owner from the start."""
        return True

    def spawn(self):
        ends = []
        for name in ("stdout", "stderr"):
            source, end = os.pipe()
            os.fchown(end, self.user["runAsUser"], self.user["runAsGroup"])  # as runtimes do
            thread = threading.Thread(target=self.copy, args=(source, self.logs / f"{name}.log"), daemon=True)
            thread.start()
            self.copying.append(thread)
            ends.append(end)
        outer = subprocess.Popen(self.inside(*self.pod["containers"][0]["command"]), env=self.environment(), stdout=ends[0],
                                 stderr=ends[1], stdin=subprocess.DEVNULL, start_new_session=True)
        for end in ends:
            os.close(end)
        self.process = Process(outer)

    def cgid_listens(self):
        return True  # httpd has the workers' user from the beginning: the socket is theirs when it resumes

    @staticmethod
    def copy(source, path):
        with open(path, "ab", buffering=0) as file:
            while data := os.read(source, 65536):
                file.write(data)
        os.close(source)

    def stdout(self):
        return (self.logs / "stdout.log").read_text()

    def scripts(self):
        """The CGI programs that run: children of mod_cgid's daemon."""
        try:
            for child in self.children():
                for pid in Path(f"/proc/{child}/task/{child}/children").read_text().split():
                    if Path(f"/proc/{pid}/comm").read_text() == "orders\n":
                        yield pid
        except (FileNotFoundError, ProcessLookupError):
            pass  # ended meanwhile

    def stop(self):
        # A CGI program that outlives mod_cgid's daemon becomes a zombie of httpd, process 1, and a worker waits for it.
        deadline = time.monotonic() + 10
        while self.process and self.process.poll() is None and list(self.scripts()) and time.monotonic() < deadline:
            time.sleep(0.005)
        super().stop()
        while self.copying:
            self.copying.pop().join()

    def close(self):
        with open("/proc/self/mountinfo", encoding="utf-8") as file:
            assert str(self.root) not in file.read(), f"mounts of a container are left below {self.root}"
        return super().close()
