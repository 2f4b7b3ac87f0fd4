# Sample configurations, with the directory of the modules filled in.
samples = conf/minimal-cgi.conf conf/php-fpm.conf conf/proxy-headers.conf conf/migrate-basic.conf conf/challenge.conf
debian_load = conf/debian/registry.load conf/debian/isign.load conf/debian/sauth.load

examplesdir = $(docdir)/examples
examples_DATA = $(samples)
debianexamplesdir = $(docdir)/examples/debian
debianexamples_DATA = $(debian_load)
fail2banexamplesdir = $(docdir)/examples/fail2ban
fail2banexamples_DATA = $(srcdir)/conf/fail2ban/filter.d/interauth.conf

$(samples) $(debian_load): Makefile
	$(AM_V_GEN)$(MKDIR_P) conf/debian && \
	$(SED) 's,@APACHE_LIBEXECDIR[@],$(APACHE_LIBEXECDIR),g' $(srcdir)/$@.in >$@.tmp && mv $@.tmp $@
conf/minimal-cgi.conf: conf/minimal-cgi.conf.in
conf/php-fpm.conf: conf/php-fpm.conf.in
conf/proxy-headers.conf: conf/proxy-headers.conf.in
conf/migrate-basic.conf: conf/migrate-basic.conf.in
conf/challenge.conf: conf/challenge.conf.in
conf/debian/registry.load: conf/debian/registry.load.in
conf/debian/isign.load: conf/debian/isign.load.in
conf/debian/sauth.load: conf/debian/sauth.load.in

EXTRA_DIST += conf/minimal-cgi.conf.in conf/php-fpm.conf.in conf/proxy-headers.conf.in conf/migrate-basic.conf.in \
	conf/challenge.conf.in conf/fail2ban/filter.d/interauth.conf \
	conf/debian/registry.load.in conf/debian/isign.load.in conf/debian/sauth.load.in conf/debian/prepare.sh
CLEANFILES += $(samples) $(debian_load)
