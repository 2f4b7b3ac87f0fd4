/*
 * A third-party module that reads request bodies: `TakeBody HOOK BYTES WAY`. HOOK is access, type, fixups or handler; BYTES
 * how many it reads at least; WAY what it does with them: drop, or replay to whoever reads next, or end: replay and then end,
 * or under: replay what it read below every other filter, or stick: replay it to whoever reads, after redirects too.
 */
#include <httpd.h>
#include <http_config.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mod_core.h>
#include <stdlib.h>
#include <string.h>
#include <util_filter.h>

module AP_MODULE_DECLARE_DATA taker_module;

typedef struct conf {
    const char *hook, *way;
    long bytes;
} conf;

typedef struct taken {
    apr_bucket_brigade *bb;
    int ends;
} taken;

static ap_filter_rec_t *replay_rec;

static void *create(apr_pool_t *p, char *path)
{
    (void)path;
    return apr_pcalloc(p, sizeof(conf));
}

static const char *set(cmd_parms *cmd, void *c, const char *hook, const char *bytes, const char *way)
{
    conf *made = c;

    (void)cmd;
    made->hook = hook;
    made->bytes = atol(bytes);
    made->way = way;
    return NULL;
}

static apr_status_t replay(ap_filter_t *f, apr_bucket_brigade *bb, ap_input_mode_t mode, apr_read_type_e block,
                           apr_off_t bytes)
{
    taken *t = f->ctx;

    if (APR_BRIGADE_EMPTY(t->bb) && !t->ends)
        return ap_get_brigade(f->next, bb, mode, block, bytes);
    APR_BRIGADE_CONCAT(bb, t->bb);
    if (t->ends)
        APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_eos_create(f->c->bucket_alloc));
    return APR_SUCCESS;
}

static ap_filter_t *first_filter(request_rec *r, const char *way)
{
    ap_filter_t *f = r->input_filters;

    while (!strcmp(way, "under") && f->frec != ap_http_input_filter_handle)
        f = f->next;
    return f;
}

static int take(request_rec *r, const char *hook)
{
    const conf *c = ap_get_module_config(r->per_dir_config, &taker_module);
    apr_bucket_brigade *bb;
    taken *t;
    long got = 0;
    int ended = 0;

    if (!c->hook || strcmp(c->hook, hook) || r->main || r->prev)
        return DECLINED;
    t = apr_pcalloc(r->pool, sizeof *t);
    t->bb = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    bb = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    while (!ended && got < c->bytes) {
        apr_bucket *b;
        apr_off_t piece = c->bytes - got < 8192 ? c->bytes - got : 8192;

        if (ap_get_brigade(first_filter(r, c->way), bb, AP_MODE_READBYTES, APR_BLOCK_READ, piece))
            return HTTP_BAD_REQUEST;
        while (!APR_BRIGADE_EMPTY(bb)) {
            const char *data;
            apr_size_t len;

            b = APR_BRIGADE_FIRST(bb);
            if (APR_BUCKET_IS_EOS(b))
                ended = 1;
            if (!APR_BUCKET_IS_METADATA(b) && !apr_bucket_read(b, &data, &len, APR_BLOCK_READ)) {
                got += (long)len;
                apr_brigade_write(t->bb, NULL, NULL, data, len);
            }
            apr_bucket_delete(b);
        }
    }
    t->ends = (ended && strcmp(c->way, "under")) || !strcmp(c->way, "end");
    if (!strcmp(c->way, "stick"))
        apr_pool_userdata_setn(t, "taker", NULL, r->pool);
    if (strcmp(c->way, "drop"))
        ap_add_input_filter_handle(replay_rec, t, r, r->connection);
    return DECLINED;
}

static void insert_again(request_rec *r)
{
    void *t = NULL;

    apr_pool_userdata_get(&t, "taker", r->pool);
    if (t && r->prev)
        ap_add_input_filter_handle(replay_rec, t, r, r->connection);
}

static int take_in_access(request_rec *r)
{
    return take(r, "access");
}

static int take_in_type(request_rec *r)
{
    return take(r, "type");
}

static int take_in_fixups(request_rec *r)
{
    return take(r, "fixups");
}

static int take_in_handler(request_rec *r)
{
    return take(r, "handler");
}

static void hooks(apr_pool_t *p)
{
    (void)p;
    ap_hook_check_access(take_in_access, NULL, NULL, APR_HOOK_REALLY_FIRST, AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_type_checker(take_in_type, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_fixups(take_in_fixups, NULL, NULL, APR_HOOK_REALLY_FIRST - 5);
    ap_hook_handler(take_in_handler, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_insert_filter(insert_again, NULL, NULL, APR_HOOK_MIDDLE);
    replay_rec = ap_register_input_filter("TAKER_REPLAY", replay, NULL, AP_FTYPE_CONTENT_SET);
}

static const command_rec commands[] = {AP_INIT_TAKE3("TakeBody", set, NULL, ACCESS_CONF, "HOOK BYTES WAY"),
                                       {NULL, {NULL}, NULL, 0, RAW_ARGS, NULL}};

AP_DECLARE_MODULE(taker) = {STANDARD20_MODULE_STUFF, create, NULL, NULL, NULL, commands, hooks, 0};
