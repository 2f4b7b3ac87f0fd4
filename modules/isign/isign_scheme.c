/* The signature schemes. */
#include <httpd.h>
#include "isign_httpsig.h"

const isign_scheme *const isign_schemes[] = {&isign_httpsig, NULL};
