# Unit tests, vector tests, fuzz targets and the lint. `make check` runs them all; tests/httpd/run runs those against
# a real httpd. LDADD is for the programs of this file: others name their own.
LDADD = libia.la $(CMOCKA_LIBS)
AM_CPPFLAGS += $(CMOCKA_CFLAGS)

AM_TESTS_ENVIRONMENT = \
	FUZZ_CORPUS='$(abs_srcdir)/tests/fuzz/corpus'; export FUZZ_CORPUS; \
	UBSAN_OPTIONS='print_stacktrace=1'; export UBSAN_OPTIONS; \
	CC='$(CC)' SAN_CFLAGS='$(SAN_CFLAGS)'; export CC SAN_CFLAGS;

dist_check_SCRIPTS = tests/lint.sh tests/install/run
TESTS += tests/lint.sh tests/install/run
EXTRA_DIST += tests/install/client.c

unit_tests = \
	tests/unit/test_result tests/unit/test_encoding tests/unit/test_timestamp tests/unit/test_name \
	tests/unit/test_form tests/unit/test_json tests/unit/test_mac tests/unit/test_capability tests/unit/test_nonce \
	tests/unit/test_participant tests/unit/test_grant \
	tests/unit/test_access tests/unit/test_authorization tests/unit/test_sfv tests/unit/test_sfv_write \
	tests/unit/test_digest tests/unit/test_xml tests/unit/test_envelope \
	tests/unit/test_key tests/unit/test_sign tests/unit/test_httpsig tests/unit/test_httpsig_base \
	tests/unit/test_challenge tests/unit/test_isign_limit tests/unit/test_secret_quality tests/unit/test_sauth_outcome tests/unit/test_registry_outcome
tests_unit_test_isign_limit_SOURCES = tests/unit/test_isign_limit.c modules/isign/isign_limit.c
tests_unit_test_isign_limit_CPPFLAGS = $(module_cppflags) -I$(top_srcdir)/modules/isign
tests_unit_test_isign_limit_LDADD = libia.la $(CMOCKA_LIBS) -lpthread
tests_unit_test_sauth_outcome_SOURCES = tests/unit/test_sauth_outcome.c modules/sauth/sauth_outcome.c
tests_unit_test_sauth_outcome_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/modules/store -I$(top_srcdir)/modules/sauth
tests_unit_test_registry_outcome_SOURCES = tests/unit/test_registry_outcome.c modules/registry/registry_outcome.c
tests_unit_test_registry_outcome_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/modules/store -I$(top_srcdir)/modules/registry
# Computations are counted, and made to fail.
tests_unit_test_challenge_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=ia_mac_compute -Wl,--wrap=EVP_DigestFinal_ex \
	-Wl,--wrap=EVP_PBE_scrypt -Wl,--wrap=EVP_CipherUpdate
cmocka_vector_tests = tests/vectors/test_sfv_vectors
if HAVE_CMOCKA
check_PROGRAMS += $(unit_tests) $(cmocka_vector_tests)
TESTS += $(unit_tests) $(cmocka_vector_tests)
endif

vector_tests = tests/vectors/test_wycheproof_hmac \
	tests/vectors/test_wycheproof tests/vectors/test_rfc9421
check_PROGRAMS += $(vector_tests)
TESTS += $(vector_tests)

# Fuzz targets. `make check` runs each over its corpus, in any build. To look for new inputs, for as long as you want:
#   ./configure CC=clang --enable-sanitizers --enable-fuzzers && make check TESTS=
#   mkdir -p found && tests/fuzz/fuzz_json -max_total_time=60 found tests/fuzz/corpus/json
fuzz_targets = \
	tests/fuzz/fuzz_access tests/fuzz/fuzz_authorization tests/fuzz/fuzz_challenge tests/fuzz/fuzz_digest \
	tests/fuzz/fuzz_envelope tests/fuzz/fuzz_form tests/fuzz/fuzz_httpsig tests/fuzz/fuzz_json tests/fuzz/fuzz_jwk \
	tests/fuzz/fuzz_nonce tests/fuzz/fuzz_participants tests/fuzz/fuzz_sfv tests/fuzz/fuzz_xml
check_PROGRAMS += $(fuzz_targets)
TESTS += $(fuzz_targets)

# What runs them: tests/fuzz/replay.c, from libFuzzer's main function where there is one.
if FUZZERS
fuzz_cppflags = -DFUZZERS
endif
check_LTLIBRARIES += tests/fuzz/libreplay.la
tests_fuzz_libreplay_la_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz.h
tests_fuzz_libreplay_la_CPPFLAGS = $(AM_CPPFLAGS) $(fuzz_cppflags)
fuzz_ldadd = $(tests_fuzz_libreplay_la_OBJECTS) libia.la $(FUZZ_LIBS)
tests_fuzz_fuzz_access_LDADD = $(fuzz_ldadd)
tests_fuzz_fuzz_authorization_LDADD = $(fuzz_ldadd)
tests_fuzz_fuzz_challenge_LDADD = $(fuzz_ldadd)
tests_fuzz_fuzz_digest_LDADD = $(fuzz_ldadd)
tests_fuzz_fuzz_envelope_LDADD = $(fuzz_ldadd)
tests_fuzz_fuzz_form_LDADD = $(fuzz_ldadd)
tests_fuzz_fuzz_httpsig_LDADD = $(fuzz_ldadd)
tests_fuzz_fuzz_json_LDADD = $(fuzz_ldadd)
tests_fuzz_fuzz_jwk_LDADD = $(fuzz_ldadd)
tests_fuzz_fuzz_nonce_SOURCES = tests/fuzz/fuzz_nonce.c modules/store/nonce_window.c
tests_fuzz_fuzz_nonce_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/modules/store
tests_fuzz_fuzz_nonce_LDADD = $(fuzz_ldadd)
tests_fuzz_fuzz_participants_LDADD = $(fuzz_ldadd)
tests_fuzz_fuzz_sfv_LDADD = $(fuzz_ldadd)
tests_fuzz_fuzz_xml_LDADD = $(fuzz_ldadd)

# Measured by hand: make tests/bench/httpsig && tests/bench/httpsig
EXTRA_PROGRAMS = tests/bench/httpsig

# The modules that the tests of a real httpd load: the objects of those that are installed, with a clock that tests can
# set in the place of the system's.
noinst_LTLIBRARIES += tests/httpd/clock/libclock.la tests/httpd/clock/mod_registry.la tests/httpd/clock/mod_isign.la \
	tests/httpd/clock/mod_sauth.la
# mod_isign has one signature scheme more there.
noinst_LTLIBRARIES += tests/httpd/scheme/libscheme.la
tests_httpd_scheme_libscheme_la_SOURCES = tests/httpd/scheme/scheme.c
tests_httpd_scheme_libscheme_la_CPPFLAGS = $(module_cppflags) -I$(top_srcdir)/modules/isign
tests_httpd_clock_libclock_la_SOURCES = tests/httpd/clock/clock.c
tests_httpd_clock_libclock_la_CPPFLAGS = $(module_cppflags)
clock_libs = tests/httpd/clock/libclock.la libst.la libia.la
# libtool links a module only where it knows a place for it.
clock_ldflags = $(AM_LDFLAGS) $(module_ldflags) -rpath /nowhere
tests_httpd_clock_mod_registry_la_SOURCES =
tests_httpd_clock_mod_registry_la_LDFLAGS = $(clock_ldflags) -export-symbols-regex '^registry_module$$'
tests_httpd_clock_mod_registry_la_LIBADD = $(modules_registry_mod_registry_la_OBJECTS) $(clock_libs)
tests_httpd_clock_mod_isign_la_SOURCES =
tests_httpd_clock_mod_isign_la_LDFLAGS = $(clock_ldflags) -export-symbols-regex '^isign_module$$'
tests_httpd_clock_mod_isign_la_LIBADD = $(modules_isign_mod_isign_la_OBJECTS) \
	tests/httpd/scheme/libscheme.la $(clock_libs)
tests_httpd_clock_mod_sauth_la_SOURCES =
tests_httpd_clock_mod_sauth_la_LDFLAGS = $(clock_ldflags) -export-symbols-regex '^sauth_module$$'
tests_httpd_clock_mod_sauth_la_LIBADD = $(modules_sauth_mod_sauth_la_OBJECTS) libdialects.la $(clock_libs)

# The same with another table of dialects, that has one more row.
noinst_LTLIBRARIES += tests/httpd/dialect/mod_sauth.la
tests_httpd_dialect_mod_sauth_la_SOURCES = tests/httpd/dialect/sauth_dialects.c tests/httpd/dialect/probe.c \
	tests/httpd/dialect/probe.h
tests_httpd_dialect_mod_sauth_la_CPPFLAGS = $(sauth_cppflags)
tests_httpd_dialect_mod_sauth_la_LDFLAGS = $(clock_ldflags) -export-symbols-regex '^sauth_module$$'
tests_httpd_dialect_mod_sauth_la_LIBADD = $(modules_sauth_mod_sauth_la_OBJECTS) $(clock_libs)

# The store: one process, many, killed ones and hostile ones. tests/store/tsan runs the threads under ThreadSanitizer.
store_sources = \
	modules/store/cas_lock.c modules/store/shm_table.c modules/store/shm_reclaim.c modules/store/quota.c \
	modules/store/name_table.c modules/store/participant_table.c \
	modules/store/participant_load.c modules/store/grant_table.c modules/store/nonce_window.c modules/store/replay_cache.c \
	modules/store/challenge_table.c modules/store/challenge_record.c
store_test_cppflags = $(AM_CPPFLAGS) -I$(top_srcdir)/modules/store -I$(top_srcdir)/tests
store_test_ldadd = libia.la $(CMOCKA_LIBS) -lpthread
store_cmocka_tests = \
	tests/store/test_lock tests/store/test_table tests/store/test_participants tests/store/test_keys tests/store/test_texts tests/store/test_grants tests/store/test_replays \
	tests/store/test_state_file tests/store/test_nonce_window tests/store/test_nonce_crash
if HAVE_CMOCKA
check_PROGRAMS += $(store_cmocka_tests)
TESTS += $(store_cmocka_tests)
endif
store_tests = tests/store/test_race tests/store/test_crash tests/store/test_kill tests/store/test_hostile
check_PROGRAMS += $(store_tests)
TESTS += $(store_tests)

# Built with the store's sources where these are compiled in another way.
tests_store_test_lock_SOURCES = tests/store/test_lock.c modules/store/cas_lock.c
tests_store_test_lock_CPPFLAGS = $(store_test_cppflags) -DST_LOCK_PATIENCE=20000
tests_store_test_lock_LDADD = $(store_test_ldadd)
tests_store_test_hostile_SOURCES = tests/store/test_hostile.c $(store_sources)
tests_store_test_hostile_CPPFLAGS = $(store_test_cppflags) -DST_LOCK_PATIENCE=2000
tests_store_test_hostile_LDADD = $(store_test_ldadd)
tests_store_test_crash_SOURCES = tests/store/test_crash.c $(store_sources) modules/store/key_table.c modules/store/owned_table.c
tests_store_test_crash_CPPFLAGS = $(store_test_cppflags) -DST_CRASH_TEST -include $(top_srcdir)/modules/store/shm_word.h
tests_store_test_crash_LDADD = $(store_test_ldadd)
tests_store_test_table_CPPFLAGS = $(store_test_cppflags)
tests_store_test_table_LDADD = libst.la $(store_test_ldadd)
tests_store_test_participants_CPPFLAGS = $(store_test_cppflags)
tests_store_test_participants_LDADD = libst.la $(store_test_ldadd)
tests_store_test_keys_CPPFLAGS = $(store_test_cppflags)
tests_store_test_keys_LDADD = libst.la $(store_test_ldadd)
tests_store_test_texts_CPPFLAGS = $(store_test_cppflags)
tests_store_test_texts_LDADD = libst.la $(store_test_ldadd)
tests_store_test_grants_CPPFLAGS = $(store_test_cppflags)
tests_store_test_grants_LDADD = libst.la $(store_test_ldadd)
tests_store_test_replays_CPPFLAGS = $(store_test_cppflags)
tests_store_test_replays_LDADD = libst.la $(store_test_ldadd)
tests_store_test_state_file_CPPFLAGS = $(store_test_cppflags)
tests_store_test_state_file_LDADD = libst.la $(store_test_ldadd)
tests_store_test_nonce_window_CPPFLAGS = $(store_test_cppflags)
tests_store_test_nonce_window_LDADD = libst.la $(store_test_ldadd)
tests_store_test_nonce_crash_CPPFLAGS = $(store_test_cppflags)
tests_store_test_nonce_crash_LDADD = libst.la $(store_test_ldadd)
tests_store_test_race_CPPFLAGS = $(store_test_cppflags)
tests_store_test_race_LDADD = libst.la $(store_test_ldadd)
tests_store_test_kill_CPPFLAGS = $(store_test_cppflags)
tests_store_test_kill_LDADD = libst.la $(store_test_ldadd)

# The cost of look-ups, printed: make tests/bench/lookup && tests/bench/lookup
EXTRA_PROGRAMS += tests/bench/lookup
tests_bench_lookup_CPPFLAGS = $(store_test_cppflags)
tests_bench_lookup_LDADD = libst.la libia.la
EXTRA_DIST += tests/store/store.h tests/store/tsan

EXTRA_DIST += tests/unit/support.h tests/unit/keys.h tests/vectors/vectors.h tests/outcomes-untested.txt tests/retired-words.txt tests/reap.py
# What automake has no list of: the corpora and the Python tests.
dist-hook: dist-tests
dist-tests:
	@dest=`cd "$(distdir)" && pwd` && cd "$(srcdir)" && \
	find tests/fuzz/corpus tests/mutate tests/httpd tests/client tests/bench tests/distro tests/interop tests/timing \
	    \( -name __pycache__ -o -name .pytest_cache -o -name '*.pyc' \) -prune -o -type f -print 2>/dev/null | \
	while IFS= read -r file; do \
	    $(MKDIR_P) "$$dest/`dirname "$$file"`" && cp -fp "$$file" "$$dest/$$file" || exit 1; \
	done
.PHONY: dist-tests
