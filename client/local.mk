# The interauth command: one file per verb, and what verbs share.
bin_PROGRAMS += interauth
interauth_SOURCES = \
	client/address.c client/address.h client/advice.c client/advice.h client/advice.inc client/call.c \
	client/capabilities.c client/capabilities.h client/check.c client/check.h client/check_participants.c \
	client/check_participants.h client/credentials.c client/credentials.h client/envelope_call.c \
	client/envelope_call.h client/exchange.c client/exchange.h client/explain.c client/explain_body.c \
	client/explain_fields.c client/explain_message.c client/explain_message.h client/files.c client/files.h \
	client/forget.c client/grant.c client/grant_text.c client/grant_text.h client/grants.c client/http.c \
	client/http.h client/interauth.c client/invoke.c client/jwk.c client/jwk.h client/keygen.c client/login.c \
	client/login.h client/login_exchange.c client/login_exchange.h client/options.c client/options.h \
	client/output.c client/output.h client/participant.c client/participant_make.c client/participant_make.h \
	client/participants.c client/participants.h client/parts.c client/parts.h client/refresh.c \
	client/request_body.c client/request_body.h client/request_head.c client/request_head.h client/response.c \
	client/response.h client/saved_message.c client/saved_message.h client/say.c client/say.h client/secret.c \
	client/session.c client/session.h client/sign.c client/signature_key.c client/signature_key.h \
	client/signature_text.c client/signature_text.h client/signing.c client/signing.h client/state.c \
	client/state.h client/state_format.c client/state_format.h client/trace.c client/trace.h client/verbs.h \
	client/verification.c client/verification.h client/verify.c
interauth_CPPFLAGS = $(AM_CPPFLAGS) $(CURL_CFLAGS)
interauth_LDADD = libia.la $(CURL_LIBS) $(APR_LIBS) $(OPENSSL_LIBS)

bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = client/bash-completion/interauth
