# Manual pages; tests compare them with the option tables of the verbs.
dist_man_MANS = \
	docs/man/interauth.1 docs/man/interauth-call.1 docs/man/interauth-check.1 docs/man/interauth-explain.1 \
	docs/man/interauth-forget.1 docs/man/interauth-grant.1 docs/man/interauth-grants.1 \
	docs/man/interauth-invoke.1 docs/man/interauth-keygen.1 docs/man/interauth-participant.1 docs/man/interauth-refresh.1 \
	docs/man/interauth-secret.1 docs/man/interauth-sign.1 docs/man/interauth-verify.1

# Pages, in the same directory layout, so that links between them still work after the installation.
dist_doc_DATA = README.md LICENSE HACKING.md SECURITY.md CHANGES.md
nobase_dist_doc_DATA = \
	docs/architecture.md docs/performance.md docs/notes.md docs/outcomes.md docs/protocols/sauth.md docs/protocols/message-signatures.md \
	docs/protocols/challenge.md \
	docs/directives/registry.md docs/directives/sauth.md docs/directives/isign.md \
	docs/guides/debian.md docs/guides/participants.md docs/guides/php.md docs/guides/methods.md docs/guides/signatures.md \
	docs/guides/migrate-from-basic.md docs/guides/deployment.md docs/guides/troubleshooting.md docs/guides/monitoring.md \
	docs/guides/upgrade.md \
	docs/examples/challenge.py docs/examples/challenge.php \
	docs/images/architecture.svg docs/images/bench.svg docs/images/challenge.svg docs/images/flow.svg docs/images/message-signatures.svg \
	docs/images/request.svg docs/images/sauth.svg

EXTRA_DIST += docs/images/render docs/images/style.iuml docs/images/architecture.dot docs/images/request.dot \
	docs/images/challenge.puml docs/images/flow.puml docs/images/message-signatures.puml docs/images/sauth.puml
EXTRA_DIST += tests/docs/run tests/docs/pytest.ini tests/docs/conftest.py tests/docs/outcomes.py tests/docs/advice.py tests/docs/pages.py \
	tests/docs/test_drift.py tests/docs/test_samples.py tests/docs/test_guides.py tests/docs/test_deployment.py \
	tests/docs/container.py tests/docs/test_container.py tests/docs/test_monitoring.py tests/docs/test_log_lines.py \
	tests/docs/test_upgrade_guide.py tests/docs/test_readme.py tests/docs/test_quickstart.py tests/docs/test_performance.py \
	tests/docs/test_images.py tests/docs/test_reap.py
