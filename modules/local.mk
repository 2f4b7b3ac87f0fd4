# The store and each module's glue. Every DSO carries its own hidden copy of library and store: httpd loads modules with
# RTLD_GLOBAL, and two that exported one name would bind to the first one's copy.
module_cppflags = $(AM_CPPFLAGS) $(HTTPD_CPPFLAGS) -I$(top_srcdir)/modules/common -I$(top_srcdir)/modules/store

noinst_LTLIBRARIES += libst.la libclock.la
# Which signature schemes there are: tests link a list with one more.
noinst_LTLIBRARIES += libscheme.la
libscheme_la_SOURCES = modules/isign/isign_scheme.c
libscheme_la_CPPFLAGS = $(module_cppflags)
libclock_la_SOURCES = modules/common/clock.c modules/common/clock.h
libclock_la_CPPFLAGS = $(module_cppflags)
libst_la_SOURCES = \
	modules/store/cas_lock.c modules/store/cas_lock.h modules/store/crash_point.h \
	modules/store/shm_word.h modules/store/shm_table.c modules/store/shm_table.h modules/store/shm_layout.h \
	modules/store/shm_reclaim.c modules/store/quota.c modules/store/quota.h \
	modules/store/name_table.c modules/store/name_table.h modules/store/st_result.h \
	modules/store/nonce_window.c modules/store/nonce_window.h modules/store/grant_store.c modules/store/grant_store.h \
	modules/store/participant_table.c modules/store/participant_table.h \
	modules/store/participant_load.c modules/store/participant_internal.h \
	modules/store/grant_table.c modules/store/grant_table.h modules/store/replay_cache.c modules/store/replay_cache.h \
	modules/store/state_file.c modules/store/state_file.h \
	modules/store/state_record.c modules/store/state_record.h modules/store/key_table.c modules/store/key_table.h \
	modules/store/owned_table.c modules/store/owned_table.h modules/store/text_table.c modules/store/text_table.h \
	modules/store/challenge_table.c modules/store/challenge_table.h \
	modules/store/challenge_record.c modules/store/challenge_record.h

noinst_HEADERS += include/interauth_notes.h include/interauth_registry.h include/interauth_isign.h

apachemoddir = $(APACHE_LIBEXECDIR)
apachemod_LTLIBRARIES = modules/registry/mod_registry.la modules/isign/mod_isign.la modules/sauth/mod_sauth.la
module_ldflags = -module -avoid-version -shared
module_libs = libclock.la libst.la libia.la

common_sources = \
	modules/common/body.c modules/common/body.h \
	modules/common/request.c modules/common/request.h modules/common/snapshot.c modules/common/snapshot.h \
	modules/common/sanitize.c modules/common/sanitize.h modules/common/environment.c modules/common/log_field.c modules/common/log_field.h modules/common/external.c modules/common/external.h modules/common/environment.h \
	modules/common/problem.c modules/common/problem.h modules/common/private.c modules/common/private.h \
	modules/common/section.c modules/common/section.h modules/common/intake.c modules/common/intake.h \
	modules/common/log_ratelimit.c modules/common/log_ratelimit.h modules/common/segment.c modules/common/segment.h \
	modules/common/directive.c modules/common/directive.h modules/common/startup.c modules/common/startup.h
persist_sources = modules/common/persist.c modules/common/persist.h

modules_registry_mod_registry_la_SOURCES = $(common_sources) \
	modules/registry/mod_registry.c modules/registry/mod_registry.h modules/registry/registry_config.c \
	modules/registry/registry_file.c modules/registry/registry_api.c modules/registry/registry_status.c \
	modules/registry/registry_outcome.c modules/registry/registry_outcome.h
modules_registry_mod_registry_la_CPPFLAGS = $(module_cppflags)
modules_registry_mod_registry_la_LDFLAGS = $(AM_LDFLAGS) $(module_ldflags) -export-symbols-regex '^registry_module$$'
modules_registry_mod_registry_la_LIBADD = $(module_libs)

modules_isign_mod_isign_la_SOURCES = $(common_sources) \
	modules/isign/mod_isign.c modules/isign/mod_isign.h modules/isign/isign_config.c modules/isign/isign_config.h \
	modules/isign/isign_spool.h modules/isign/isign_body.c modules/isign/isign_budget.c modules/isign/isign_budget.h \
	modules/isign/isign_tempfile.c modules/isign/isign_tempfile.h \
	modules/isign/isign_spool.c modules/isign/isign_response.c modules/isign/isign_store.c modules/isign/isign_store.h \
	modules/isign/isign_nonce.c modules/isign/isign_key_cache.c modules/isign/isign_state.c modules/isign/isign_state.h \
	modules/isign/isign_proof.c modules/isign/isign_proof.h modules/isign/isign_httpsig.c modules/isign/isign_httpsig.h \
	modules/isign/isign_message.c modules/isign/isign_lookup.c modules/isign/isign_accept.c \
	modules/isign/isign_verify.c modules/isign/isign_require.c modules/isign/isign_stream.c \
	modules/isign/isign_limit.c modules/isign/isign_limit.h modules/isign/isign_persist.c \
	modules/isign/isign_log_detail.c modules/isign/isign_guard.c $(persist_sources)
modules_isign_mod_isign_la_CPPFLAGS = $(module_cppflags)
modules_isign_mod_isign_la_LDFLAGS = $(AM_LDFLAGS) $(module_ldflags) -export-symbols-regex '^isign_module$$'
modules_isign_mod_isign_la_LIBADD = libscheme.la $(module_libs)

# The table of dialects stands alone, so that tests can link another one.
noinst_LTLIBRARIES += libdialects.la
sauth_cppflags = $(module_cppflags) -I$(top_srcdir)/modules/sauth
libdialects_la_SOURCES = modules/sauth/sauth_dialects.c
libdialects_la_CPPFLAGS = $(sauth_cppflags)
modules_sauth_mod_sauth_la_SOURCES = $(common_sources) \
	modules/sauth/mod_sauth.c modules/sauth/mod_sauth.h modules/sauth/sauth_config.c modules/sauth/sauth_config.h \
	modules/sauth/sauth_state.c modules/sauth/sauth_state.h modules/sauth/sauth_dialect.c modules/sauth/sauth_dialect.h \
	modules/sauth/sauth_presentation.c modules/sauth/sauth_presentation.h modules/sauth/sauth_endpoint.c \
	modules/sauth/sauth_authenticate.c modules/sauth/sauth_www_authenticate.c \
	modules/sauth/sauth_require.c modules/sauth/sauth_require.h modules/sauth/sauth_refuse.c modules/sauth/sauth_refuse.h \
	modules/sauth/sauth_export.c modules/sauth/sauth_export.h modules/sauth/sauth_grant.c modules/sauth/sauth_grant.h \
	modules/sauth/sauth_outcome.c modules/sauth/sauth_outcome.h \
	modules/sauth/sauth_guard.c modules/sauth/sauth_guard.h modules/sauth/sauth_config_lint.c modules/sauth/sauth_config_lint.h modules/sauth/sauth_store.c \
	modules/sauth/sauth_store.h modules/sauth/sauth_persist.c modules/sauth/sauth_status.c \
	modules/sauth/sauth/access.h modules/sauth/sauth/access_dialect.c modules/sauth/sauth/access_request.c \
	modules/sauth/sauth/access_header.c modules/sauth/sauth/access_nonce.c \
	modules/sauth/signature/signature.h modules/sauth/signature/signature_present.c \
	modules/sauth/challenge/challenge.h modules/sauth/challenge/challenge_dialect.c \
	modules/sauth/challenge/challenge_call.c modules/sauth/challenge/challenge_present.c \
	modules/sauth/challenge/challenge_login.c modules/sauth/challenge/challenge_login.h \
	modules/sauth/challenge/challenge_auth.c modules/sauth/challenge/challenge_refresh.c \
	modules/sauth/challenge/challenge_location.c \
	modules/sauth/challenge/challenge_sign.c $(persist_sources)
modules_sauth_mod_sauth_la_CPPFLAGS = $(sauth_cppflags)
modules_sauth_mod_sauth_la_LDFLAGS = $(AM_LDFLAGS) $(module_ldflags) -export-symbols-regex '^sauth_module$$'
modules_sauth_mod_sauth_la_LIBADD = libdialects.la $(module_libs)

# httpd opens the .so itself; libtool's .la beside it only confuses packagers.
install-data-hook:
	cd "$(DESTDIR)$(apachemoddir)" && rm -f mod_registry.la mod_isign.la mod_sauth.la

uninstall-hook:
	cd "$(DESTDIR)$(apachemoddir)" && rm -f mod_registry.so mod_isign.so mod_sauth.so
