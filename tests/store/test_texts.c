/* Names and endpoints in shared memory: tests every function and every result in one process. */
#include "unit/support.h"
#include "store.h"
#include "text_table.h"

typedef struct fixture {
    st_participants owners;
    st_texts texts;
    apr_pool_t *p;
} fixture;

static fixture *open_texts(apr_pool_t *p, apr_uint32_t capacity)
{
    fixture *f = apr_pcalloc(p, sizeof *f);
    ia_mac_key hash_key;

    f->p = p;
    participants_open(&f->owners, 100);
    key_of(&hash_key, "texts");
    st_texts_attach(&f->texts, shared_memory(st_texts_size(capacity)), capacity, &hash_key);
    return f;
}

static ia_participant_endpoint endpoint(const char *url, const char *api_version, apr_time_t from, apr_time_t until)
{
    ia_participant_endpoint made = {url, api_version, from, until};

    return made;
}

static st_result load(fixture *f, ia_participants *list)
{
    st_load_report report;

    assert_int_equal(st_participants_load(&f->owners, ST_SOURCE_FILE, list, NOW, f->p, &report), ST_OK);
    return st_texts_load(&f->texts, &f->owners, list, NOW, f->p);
}

static st_owner owner_of(fixture *f, const char *id)
{
    st_owner owner = {0};
    st_participant copy;

    assert_int_equal(st_participant_find(&f->owners, id, strlen(id), &copy, &owner.index), ST_OK);
    owner.generation = copy.generation;
    return owner;
}

static void test_find(void **state)
{
    fixture *f = open_texts(*state, 10);
    ia_participant_endpoint endpoints[] = {
        endpoint("https://a.example/v1/", "1.0", 0, NOW),
        endpoint("https://a.example/v2/", "2.0", NOW - SEC, 0),
        endpoint("https://a.example/v3/", "3.0", NOW + SEC, 0),
    };
    ia_participants list;
    st_owner owner;
    st_text copy;

    participants_make(&list, f->p, 0, 2, 1);
    list.list[0].name = "First & Co";
    list.list[0].endpoints = endpoints;
    list.list[0].endpoint_count = 3;
    assert_int_equal(load(f, &list), ST_OK);
    assert_int_equal(st_texts_count(&f->texts), 4);
    owner = owner_of(f, "p0");
    assert_int_equal(st_text_name(&f->texts, &owner, &copy), ST_OK);
    assert_string_equal(copy.text, "First & Co");
    assert_int_equal(st_text_endpoint(&f->texts, &owner, "2.0", NOW, &copy), ST_OK);
    assert_string_equal(copy.text, "https://a.example/v2/");
    assert_int_equal(st_text_endpoint(&f->texts, &owner, NULL, NOW, &copy), ST_OK);
    assert_string_equal(copy.api_version, "2.0");
    assert_int_equal(st_text_endpoint(&f->texts, &owner, "1.0", NOW, &copy), ST_NOT_FOUND); /* expired */
    assert_int_equal(st_text_endpoint(&f->texts, &owner, "1.0", NOW - 1, &copy), ST_OK);
    assert_int_equal(st_text_endpoint(&f->texts, &owner, "3.0", NOW, &copy), ST_NOT_FOUND); /* not valid yet */
    assert_int_equal(st_text_endpoint(&f->texts, &owner, "", NOW, &copy), ST_NOT_FOUND);
    owner.generation++;
    assert_int_equal(st_text_name(&f->texts, &owner, &copy), ST_NOT_FOUND);
    owner = owner_of(f, "p1");
    assert_int_equal(st_text_name(&f->texts, &owner, &copy), ST_NOT_FOUND);
    assert_string_equal(copy.text, "");
}

static void test_change(void **state)
{
    fixture *f = open_texts(*state, 10);
    ia_participant_endpoint one = endpoint("https://a.example/", "", 0, 0);
    ia_participants list;
    st_owner owner;
    st_text copy;

    participants_make(&list, f->p, 0, 2, 1);
    list.list[0].name = "old";
    list.list[0].endpoints = &one;
    list.list[0].endpoint_count = 1;
    list.list[1].name = "other";
    assert_int_equal(load(f, &list), ST_OK);
    owner = owner_of(f, "p0");
    list.list[0].name = "new";
    assert_int_equal(st_texts_put_owner(&f->texts, &f->owners, &list.list[0], NOW, f->p), ST_OK);
    assert_int_equal(st_text_name(&f->texts, &owner, &copy), ST_OK);
    assert_string_equal(copy.text, "new");
    assert_int_equal(st_texts_count(&f->texts), 3);
    list.count = 1;
    list.list[0].endpoint_count = 0;
    assert_int_equal(load(f, &list), ST_OK);
    assert_int_equal(st_texts_count(&f->texts), 1);
    assert_int_equal(st_text_endpoint(&f->texts, &owner, NULL, NOW, &copy), ST_NOT_FOUND);
    list.count = 0;
    assert_int_equal(load(f, &list), ST_OK);
    assert_int_equal(st_texts_count(&f->texts), 0);
}

static void test_longest(void **state)
{
    fixture *f = open_texts(*state, 1);
    ia_participants list;
    st_owner owner;
    st_text copy;
    char *url = apr_pcalloc(f->p, IA_URL_MAX + 1), *version = apr_pcalloc(f->p, IA_API_VERSION_MAX + 1);
    ia_participant_endpoint two[2];

    memset(url, 'u', IA_URL_MAX);
    memset(version, 'v', IA_API_VERSION_MAX);
    two[0] = two[1] = endpoint(url, version, 0, 0);
    two[1].api_version = "2";
    participants_make(&list, f->p, 0, 1, 1);
    list.list[0].endpoints = two;
    list.list[0].endpoint_count = 1;
    assert_int_equal(load(f, &list), ST_OK);
    owner = owner_of(f, "p0");
    assert_int_equal(st_text_endpoint(&f->texts, &owner, version, NOW, &copy), ST_OK);
    assert_string_equal(copy.text, url);
    list.list[0].endpoint_count = 2;
    assert_int_equal(load(f, &list), ST_FULL);
    assert_int_equal(st_text_endpoint(&f->texts, &owner, version, NOW, &copy), ST_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {pool_test(test_find), pool_test(test_change), pool_test(test_longest)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
