# The formats and rules. The modules, the client and the tests link all of it, libia.la. C programs that are clients get
# libinterauth.so, which has no part that only a server needs and exports what lib/libinterauth.sym lists.
client_sources = \
	lib/access.c lib/authorization.c lib/challenge.c lib/challenge_internal.h lib/challenge_secret.c lib/digest.c \
	lib/encoding.c lib/envelope.c lib/envelope_write.c lib/form.c \
	lib/httpsig_base.c lib/httpsig_component.c lib/httpsig_coverage.c lib/httpsig_derived.c lib/httpsig_field.c \
	lib/httpsig_internal.h lib/httpsig_judge.c lib/httpsig_mint.c lib/httpsig_read.c lib/httpsig_verify.c \
	lib/json.c lib/json_writer.c lib/key.c lib/key_check.c lib/key_internal.h lib/key_jwk.c lib/key_pem.c lib/mac.c \
	lib/name.c lib/result.c lib/sfv.c lib/sfv_internal.h lib/sfv_value.c lib/sfv_write.c lib/sign.c lib/timestamp.c \
	lib/utf8.c lib/utf8.h lib/xml.c
server_sources = \
	lib/access_verify.c lib/capability.c lib/challenge_seal.c lib/challenge_verify.c lib/grant.c lib/nonce.c \
	lib/participant.c lib/participant_challenge.c lib/participant_endpoints.c \
	lib/participant_internal.h lib/participant_keys.c lib/participants_file.c lib/secret_quality.c

client_libs = $(APR_LIBS) $(OPENSSL_LIBS) $(YAJL_LIBS) $(EXPAT_LIBS)

noinst_LTLIBRARIES += libia.la
libia_la_SOURCES = $(client_sources) $(server_sources)
libia_la_LIBADD = $(client_libs) $(APRUTIL_LIBS)

lib_LTLIBRARIES += libinterauth.la
libinterauth_la_SOURCES = $(client_sources)
libinterauth_la_CFLAGS = -std=gnu11 $(WARN_CFLAGS) $(SAN_CFLAGS)
libinterauth_la_LIBADD = $(client_libs)
libinterauth_la_LDFLAGS = $(AM_LDFLAGS) -version-info 0:0:0 -export-symbols $(srcdir)/lib/libinterauth.sym
EXTRA_libinterauth_la_DEPENDENCIES = $(srcdir)/lib/libinterauth.sym
EXTRA_DIST += lib/libinterauth.sym

interauthincludedir = $(includedir)/interauth
interauthinclude_HEADERS = \
	include/interauth/access.h include/interauth/authorization.h include/interauth/challenge.h \
	include/interauth/digest.h include/interauth/encoding.h include/interauth/envelope.h include/interauth/form.h \
	include/interauth/httpsig.h include/interauth/json.h include/interauth/key.h include/interauth/mac.h \
	include/interauth/name.h include/interauth/result.h include/interauth/sfv.h include/interauth/sign.h \
	include/interauth/timestamp.h include/interauth/token.h include/interauth/xml.h
noinst_HEADERS = \
	include/interauth/access_verify.h include/interauth/capability.h include/interauth/challenge_seal.h \
	include/interauth/challenge_verify.h include/interauth/grant.h include/interauth/nonce.h \
	include/interauth/participant.h include/interauth/secret_quality.h
