/** Presentations: the ways in which a request shows who calls, and what holds for the grant behind each of them. */
#ifndef SAUTH_PRESENTATION_H
#define SAUTH_PRESENTATION_H

#include "mod_sauth.h"

/** A way in which a request shows who calls. */
typedef struct sauth_presentation {
    const char *word; /**< for SAuthAccept */
    ia_presentation bit;
    /** Asked where there is no Authorization; NULL: it is the Authorization. */
    int (*is_shown)(request_rec *r, const sauth_dir *conf);
    /** Fills the state; who calls it logs and answers. */
    ia_result (*check)(request_rec *r, const sauth_dir *conf, sauth_state *state);
    /**
     * Answers a request that is for the presentation itself, such as a login. May be NULL.
     * @return an HTTP status or DONE; DECLINED if the request is for the application
     */
    int (*response)(request_rec *r, const sauth_dir *conf, sauth_state *state);
} sauth_presentation;

/** By SAuthAccept's word, or NULL. */
const sauth_presentation *sauth_presentation_named(const char *word);
/** The one that decides about this request, of those that are accepted here, or NULL. */
const sauth_presentation *sauth_presentation_shown(request_rec *r, const sauth_dir *conf);

/** Authorization: SAuth. */
ia_result sauth_present_sauth(request_rec *r, const sauth_dir *conf, sauth_state *state);
/** A message signature that mod_isign verified. */
ia_result sauth_present_signature(request_rec *r, const sauth_dir *conf, sauth_state *state);
/** A call of the challenge protocol, in the body. */
int sauth_challenge_is_shown(request_rec *r, const sauth_dir *conf);
ia_result sauth_present_challenge(request_rec *r, const sauth_dir *conf, sauth_state *state);
/** auth.request, auth.token, auth.refresh where calls go; see `answer`. */
int sauth_challenge_login(request_rec *r, const sauth_dir *conf, sauth_state *state);
/** Nothing was shown: IA_MEDIA_TYPE for a body that can be no call where calls are the only way, else IA_CREDENTIALS_MISSING. */
ia_result sauth_challenge_missing(request_rec *r, const sauth_dir *conf, sauth_state *state);

/** The grant of a token, and its participant. @return IA_OK, IA_TOKEN_UNKNOWN, IA_PARTICIPANT_UNKNOWN or a fault */
ia_result sauth_grant_find(sauth_state *state, const char *token, apr_size_t len);
/** For a proven client: minted for this presentation, not expired, its secret not rotated out? */
ia_result sauth_grant_check(const sauth_state *state, ia_presentation shown_as, int still_has_secret, apr_time_t now);
/** May the participant act, and what may this grant do now? */
ia_result sauth_grant_open(sauth_state *state, apr_time_t now);

#endif
