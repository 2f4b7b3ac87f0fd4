/* The proof of a request's signer, and what is derived from it whatever the scheme. */
#include <httpd.h>
#include "mod_isign.h"
#include "interauth_notes.h"
#include "request.h"

const isign_scheme *isign_scheme_find(request_rec *r)
{
    request_rec *top = request_outermost(r);
    int i;

    for (i = 0; isign_schemes[i] && !isign_schemes[i]->is_present(top); i++)
        ;
    return isign_schemes[i];
}

int isign_proof_covers(const isign_proof *proof, const char *component)
{
    return proof->how->covers(proof, component);
}

static void write_note(request_rec *r, const char *name, const char *value)
{
    if (value)
        apr_table_setn(r->notes, name, value);
    else
        apr_table_unset(r->notes, name);
}

/* Sub-requests and internal redirects have notes of their own. */
void isign_proof_write_notes(request_rec *r, const isign_proof *proof)
{
    write_note(r, IA_NOTE_ISIGN_PARTICIPANT, proof ? proof->participant : NULL);
    write_note(r, IA_NOTE_ISIGN_KEYID, proof ? proof->keyid : NULL);
    write_note(r, IA_NOTE_ISIGN_COVERED, proof ? proof->covered : NULL);
    write_note(r, IA_NOTE_ISIGN_ALG, proof ? proof->alg : NULL);
    write_note(r, IA_NOTE_ISIGN_NONCE, proof && !proof->has_nonce ? "none" : NULL);
}

void isign_write_accept(request_rec *r, const isign_dir *conf)
{
    int i;

    for (i = 0; isign_schemes[i]; i++)
        if (isign_schemes[i]->write_accept)
            isign_schemes[i]->write_accept(r, conf);
}
