# Manual pages; tests hold them against the verbs' option tables.
dist_man_MANS = \
	docs/man/interauth.1 docs/man/interauth-call.1 docs/man/interauth-check.1 docs/man/interauth-grant.1 \
	docs/man/interauth-keygen.1 docs/man/interauth-participant.1 docs/man/interauth-refresh.1 \
	docs/man/interauth-secret.1
