# The pure library: convenience archive for modules, client and tests; shared library for C clients.
lib_sources = \
	lib/result.c lib/encoding.c lib/timestamp.c lib/name.c lib/form.c lib/json.c lib/json_writer.c lib/mac.c \
	lib/capability.c lib/nonce.c lib/participant.c lib/participant_keys.c lib/participant_internal.h lib/participants_file.c lib/grant.c \
	lib/access.c lib/authorization.c lib/sfv.c lib/sfv_value.c lib/sfv_write.c lib/sfv_internal.h lib/digest.c \
	lib/utf8.c lib/utf8.h lib/key.c lib/key_check.c lib/key_jwk.c lib/key_pem.c lib/key_internal.h lib/sign.c \
	lib/httpsig.c lib/httpsig_base.c lib/httpsig_component.c lib/httpsig_derived.c lib/httpsig_field.c \
	lib/httpsig_internal.h lib/httpsig_mint.c lib/httpsig_read.c \
	lib/challenge.c lib/challenge_internal.h lib/challenge_seal.c lib/challenge_secret.c \
	lib/participant_challenge.c lib/participant_endpoints.c lib/secret_quality.c \
	lib/xml.c lib/envelope.c lib/envelope_write.c

lib_libs = $(APR_LIBS) $(APRUTIL_LIBS) $(OPENSSL_LIBS) $(YAJL_LIBS) $(EXPAT_LIBS)

noinst_LTLIBRARIES += libia.la
libia_la_SOURCES = $(lib_sources)
libia_la_LIBADD = $(lib_libs)

lib_LTLIBRARIES += libinterauth.la
libinterauth_la_SOURCES = $(lib_sources)
libinterauth_la_CFLAGS = -std=gnu11 $(WARN_CFLAGS) $(SAN_CFLAGS)
libinterauth_la_LIBADD = $(lib_libs)
libinterauth_la_LDFLAGS = $(AM_LDFLAGS) -version-info 0:0:0 -export-symbols-regex '^ia_'

interauthincludedir = $(includedir)/interauth
interauthinclude_HEADERS = \
	include/interauth/result.h include/interauth/encoding.h include/interauth/timestamp.h include/interauth/name.h \
	include/interauth/form.h include/interauth/json.h include/interauth/mac.h include/interauth/capability.h \
	include/interauth/nonce.h include/interauth/participant.h include/interauth/grant.h include/interauth/access.h \
	include/interauth/authorization.h include/interauth/sfv.h include/interauth/digest.h \
	include/interauth/key.h include/interauth/sign.h include/interauth/httpsig.h \
	include/interauth/challenge.h include/interauth/challenge_seal.h include/interauth/xml.h include/interauth/envelope.h \
	include/interauth/secret_quality.h
