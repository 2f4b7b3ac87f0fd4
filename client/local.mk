# The interauth command: one file per verb, and what verbs share.
bin_PROGRAMS += interauth
interauth_SOURCES = \
	client/interauth.c client/verbs.h client/options.c client/options.h client/say.c client/say.h \
	client/keygen.c client/secret.c client/grant.c client/call.c client/invoke.c client/refresh.c client/grants.c \
	client/forget.c client/participant.c client/participant_make.c client/participant_make.h \
	client/grant_text.c client/grant_text.h client/login.c client/login.h client/login_exchange.c \
	client/login_exchange.h client/envelope_call.c client/envelope_call.h client/credentials.c client/credentials.h \
	client/sign.c client/verify.c client/explain.c client/explain_message.c client/explain_message.h \
	client/explain_fields.c client/explain_body.c client/parts.c client/parts.h client/saved_message.c client/saved_message.h \
	client/check.c client/check.h client/check_participants.c client/check_participants.h \
	client/address.c client/address.h client/capabilities.c client/capabilities.h client/exchange.c client/exchange.h \
	client/files.c client/files.h client/http.c client/http.h client/jwk.c client/jwk.h client/output.c \
	client/output.h client/participants.c client/participants.h client/response.c client/response.h \
	client/request_body.c client/request_body.h client/session.c \
	client/session.h client/state.c client/state.h client/state_format.c client/state_format.h \
	client/advice.c client/advice.h client/advice.inc client/request_head.c \
	client/request_head.h client/signature_key.c client/signature_key.h client/signature_text.c \
	client/signature_text.h client/signing.c client/signing.h client/verification.c client/verification.h \
	client/trace.c client/trace.h
interauth_CPPFLAGS = $(AM_CPPFLAGS) $(CURL_CFLAGS)
interauth_LDADD = libia.la $(CURL_LIBS) $(APR_LIBS) $(OPENSSL_LIBS)

bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = client/bash-completion/interauth
