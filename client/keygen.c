/** `interauth keygen`: generates a key pair, writes the private key to a file, and prints the public key. */
#include <string.h>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>

#include "files.h"
#include "interauth/mac.h"
#include "interauth/name.h"
#include "jwk.h"
#include "say.h"
#include "verbs.h"

#define RSA_BITS 3072

typedef struct keygen_options {
    const char *kid;
    int type, format, json;
} keygen_options;

enum { TYPE_ED25519, TYPE_P256, TYPE_P384, TYPE_RSA };
enum { FORMAT_JWK, FORMAT_PEM };

#define AT(field) offsetof(keygen_options, field)

static const option_row rows[] = {
    OPTION(CHOICE, 0, "type", "ed25519|p256|p384|rsa", type, "key type; default: ed25519"),
    OPTION(TEXT, 0, "kid", "NAME", kid, "name of the key; default: its RFC 7638 thumbprint"),
    OPTION(CHOICE, 0, "format", "jwk|pem", format, "format of the private key; default: jwk"),
    OPTION(FLAG, 0, "json", NULL, json, "no effect: the public key is always printed as JSON"),
};

static EVP_PKEY *key_make(int type)
{
    if (type == TYPE_P256)
        return EVP_EC_gen("P-256");
    if (type == TYPE_P384)
        return EVP_EC_gen("P-384");
    if (type == TYPE_RSA)
        return EVP_RSA_gen(RSA_BITS);
    return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

static int save_jwk(apr_pool_t *p, const char *path, const EVP_PKEY *key, const char *kid)
{
    char text[JWK_PRIVATE_SIZE];
    int rc;

    if (jwk_private(text, key, kid) != 0)
        rc = say_fault("the key could not be written as a JWK");
    else
        rc = file_create(p, path, text, strlen(text));
    ia_wipe(text, sizeof text);
    return rc;
}

static int save_pem(apr_pool_t *p, const char *path, const EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    char *text = NULL;
    long len;
    int rc;

    if (!bio || PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1 ||
        (len = BIO_get_mem_data(bio, &text)) <= 0)
        rc = say_fault("the key could not be written as PEM");
    else
        rc = file_create(p, path, text, (apr_size_t)len);
    BIO_free(bio);
    return rc;
}

static int key_save(apr_pool_t *p, const keygen_options *o, const char *path, const EVP_PKEY *key)
{
    const char *kid = o->kid ? o->kid : jwk_thumbprint(p, key);
    const char *public = kid ? jwk_public(p, key, kid) : NULL;
    int rc;

    if (!public)
        return say_fault("the key could not be written as a JWK");
    rc = o->format == FORMAT_PEM ? save_pem(p, path, key) : save_jwk(p, path, key, kid);
    return rc == CL_OK ? say_out(public) : rc;
}

static int run(apr_pool_t *p, const void *options, const char *const *operands, int operand_count)
{
    const keygen_options *o = options;
    EVP_PKEY *key;
    int rc;

    (void)operand_count;
    if (o->kid && !ia_name_is_id(o->kid, strlen(o->kid)))
        return say_usage("--kid: 1 to %d printable ASCII characters without space, quote or backslash", IA_NAME_MAX);
    key = key_make(o->type);
    if (!key)
        return say_fault("the key could not be generated");
    rc = key_save(p, o, operands[0], key);
    EVP_PKEY_free(key);
    return rc;
}

const cl_verb verb_keygen = {
    "keygen", "Generate a key pair; print the public key.", "FILE", 1, 1, ROWS(rows), sizeof(keygen_options), run,
    NULL};
