/**
 * Keys made for the tests, each as PEM and as JWK; nothing else uses them.
 */
#ifndef TESTS_UNIT_KEYS_H
#define TESTS_UNIT_KEYS_H

/* clang-format off */

#define ED25519_PUBLIC \
    "-----BEGIN PUBLIC KEY-----\n" \
    "MCowBQYDK2VwAyEAJG9iIYS9b82U3u8IN0U4A2aX5BROnqfHNVx32R7KbfM=\n" \
    "-----END PUBLIC KEY-----\n"

#define ED25519_PRIVATE \
    "-----BEGIN PRIVATE KEY-----\n" \
    "MC4CAQAwBQYDK2VwBCIEII8EhE2NZ4+Nv4SMCLp97oK+KzDAGa7V41XGGs1uOuSM\n" \
    "-----END PRIVATE KEY-----\n"

#define ED25519_CERTIFICATE \
    "-----BEGIN CERTIFICATE-----\n" \
    "MIIBRDCB96ADAgECAhRQa9pQrvojg5gLGEFO4ebW+Gy8rDAFBgMrZXAwFzEVMBMG\n" \
    "A1UEAwwMc2hvcC5leGFtcGxlMCAXDTI2MTEyMTIzNTMyMFoYDzIxMjYxMDI4MjM1\n" \
    "MzIwWjAXMRUwEwYDVQQDDAxzaG9wLmV4YW1wbGUwKjAFBgMrZXADIQAkb2IhhL1v\n" \
    "zZTe7wg3RTgDZpfkFE6ep8c1XHfZHspt86NTMFEwHQYDVR0OBBYEFKYHyXCTQvYa\n" \
    "n3xXAnpimbdH6HbFMB8GA1UdIwQYMBaAFKYHyXCTQvYan3xXAnpimbdH6HbFMA8G\n" \
    "A1UdEwEB/wQFMAMBAf8wBQYDK2VwA0EAPfnUgNPFMMhVjZofNdFRjIk1q7RmAMtr\n" \
    "c11Uw0dt/w11z3wikp+Zf29+W3fsPfUdTJUUSNXDflEB5jV490fuDg==\n" \
    "-----END CERTIFICATE-----\n"

#define ED25519_ENCRYPTED \
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n" \
    "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAiHFD5rLSaXNgICCAAw\n" \
    "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEDf+hPcN92tGys1HslSYfhQEQCpC\n" \
    "KaUWIk4YoQKY+inHyCgW126eHPb3z1fiBNK1JZ3rGI2t161M4NT4u3KLsFV5iOSy\n" \
    "xDRjVcwmXjeudGzROZg=\n" \
    "-----END ENCRYPTED PRIVATE KEY-----\n"

#define P256_PUBLIC \
    "-----BEGIN PUBLIC KEY-----\n" \
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEOFIifAXxl7Plx6Q4os4ZwhlsQxUN\n" \
    "iEsev361QhlrduRpWBUyClpPdrslOQhNnAVp9tOOwZnNHzkgVGOt7sCzog==\n" \
    "-----END PUBLIC KEY-----\n"

#define P256_PRIVATE \
    "-----BEGIN PRIVATE KEY-----\n" \
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgWsFd10Gkr4JaOlyu\n" \
    "wX0seNDT3AWUNC6AryQH4TQCH4ehRANCAAQ4UiJ8BfGXs+XHpDiizhnCGWxDFQ2I\n" \
    "Sx6/frVCGWt25GlYFTIKWk92uyU5CE2cBWn2047Bmc0fOSBUY63uwLOi\n" \
    "-----END PRIVATE KEY-----\n"

#define P256_TRADITIONAL \
    "-----BEGIN EC PRIVATE KEY-----\n" \
    "MHcCAQEEIFrBXddBpK+CWjpcrsF9LHjQ09wFlDQugK8kB+E0Ah+HoAoGCCqGSM49\n" \
    "AwEHoUQDQgAEOFIifAXxl7Plx6Q4os4ZwhlsQxUNiEsev361QhlrduRpWBUyClpP\n" \
    "drslOQhNnAVp9tOOwZnNHzkgVGOt7sCzog==\n" \
    "-----END EC PRIVATE KEY-----\n"

#define P256_CERTIFICATE \
    "-----BEGIN CERTIFICATE-----\n" \
    "MIIBhTCCASugAwIBAgIUXrCyH3QRwkTEU/7i1lUrzjDpli4wCgYIKoZIzj0EAwIw\n" \
    "FzEVMBMGA1UEAwwMc2hvcC5leGFtcGxlMCAXDTI2MTEyMTIzNTMyMFoYDzIxMjYx\n" \
    "MDI4MjM1MzIwWjAXMRUwEwYDVQQDDAxzaG9wLmV4YW1wbGUwWTATBgcqhkjOPQIB\n" \
    "BggqhkjOPQMBBwNCAAQ4UiJ8BfGXs+XHpDiizhnCGWxDFQ2ISx6/frVCGWt25GlY\n" \
    "FTIKWk92uyU5CE2cBWn2047Bmc0fOSBUY63uwLOio1MwUTAdBgNVHQ4EFgQUNhiY\n" \
    "tllcxGNCVN+imqq5eg1r49swHwYDVR0jBBgwFoAUNhiYtllcxGNCVN+imqq5eg1r\n" \
    "49swDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEAj9aqsfvUKHZp\n" \
    "dWvYg8XbqCStZIouoOlMleX9FooarDQCIDLx7l5rB/1K1meFXmHO5UnUt1HaNmww\n" \
    "06gtfkwk1SkL\n" \
    "-----END CERTIFICATE-----\n"

#define P256_COMPRESSED \
    "-----BEGIN PUBLIC KEY-----\n" \
    "MDkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDIgACOFIifAXxl7Plx6Q4os4ZwhlsQxUN\n" \
    "iEsev361QhlrduQ=\n" \
    "-----END PUBLIC KEY-----\n"

#define P256_EXPLICIT \
    "-----BEGIN PUBLIC KEY-----\n" \
    "MIIBSzCCAQMGByqGSM49AgEwgfcCAQEwLAYHKoZIzj0BAQIhAP////8AAAABAAAA\n" \
    "AAAAAAAAAAAA////////////////MFsEIP////8AAAABAAAAAAAAAAAAAAAA////\n" \
    "///////////8BCBaxjXYqjqT57PrvVV2mIa8ZR0GsMxTsPY7zjw+J9JgSwMVAMSd\n" \
    "NgiG5wSTamZ44ROdJreBn36QBEEEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5\n" \
    "RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9QIhAP////8AAAAA\n" \
    "//////////+85vqtpxeehPO5ysL8YyVRAgEBA0IABDhSInwF8Zez5cekOKLOGcIZ\n" \
    "bEMVDYhLHr9+tUIZa3bkaVgVMgpaT3a7JTkITZwFafbTjsGZzR85IFRjre7As6I=\n" \
    "-----END PUBLIC KEY-----\n"

#define P384_PUBLIC \
    "-----BEGIN PUBLIC KEY-----\n" \
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEdNJ2rOqoN6HBmQFVroHbZ9vMyXTe2tfK\n" \
    "f6OGoGTMHeMRShxbP7nMSC6298jtf3iYWWFJ7pc7RDHFtC6EnbvVdXv7aPc2BH6P\n" \
    "OmMI6bDyk2wqWIRXctvHVLnKhE2uNgXj\n" \
    "-----END PUBLIC KEY-----\n"

#define P384_PRIVATE \
    "-----BEGIN PRIVATE KEY-----\n" \
    "MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDAc/HB4fSLsCUJXZ7pk\n" \
    "e8693lR2ENbvuwxp8CBxxb0nkLJ0KzYK5UatGyT0m4AOXfehZANiAAR00nas6qg3\n" \
    "ocGZAVWugdtn28zJdN7a18p/o4agZMwd4xFKHFs/ucxILrb3yO1/eJhZYUnulztE\n" \
    "McW0LoSdu9V1e/to9zYEfo86YwjpsPKTbCpYhFdy28dUucqETa42BeM=\n" \
    "-----END PRIVATE KEY-----\n"

#define P521_PUBLIC \
    "-----BEGIN PUBLIC KEY-----\n" \
    "MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQA5Dkzs5n4ZOZ8McYiQoj3N0eV3Lqv\n" \
    "wV/PyJsxpokod+tHIZtlIb9rftdLrMSA8cjB9xtrf1MAMy7gTS3W698c5k4Bt2qT\n" \
    "gISVZt3VA+5AwPnP1BwCRtSFoyottj2ziYWBCO5YaHQ85zTicNa+g7fpQCtSkSA6\n" \
    "ryWm6PzhC44R/0phrRM=\n" \
    "-----END PUBLIC KEY-----\n"

#define X25519_PUBLIC \
    "-----BEGIN PUBLIC KEY-----\n" \
    "MCowBQYDK2VuAyEAb7ATaFhhEd7kdu9GOTNwgJ8442tyi7MST/wm/Qy4pUU=\n" \
    "-----END PUBLIC KEY-----\n"

#define RSA_PUBLIC \
    "-----BEGIN PUBLIC KEY-----\n" \
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEArOJnDwFRlYULxOr6PFjr\n" \
    "whleoMnYNig2iMx0aF9G/6X/OdU3haB+HTYdtuq9Yw5TAp14S1zNK7BgDpYDNJIY\n" \
    "LmuC3Bjl3Y3tXOQYzGwFpire0JV0S/LeQ04qmJ9BGYtbb8xYwu4Ax0wJgRBaT7ih\n" \
    "WLFTxHUivIHT7AiI33whb4Cj4On5ddTmhCp/TQUFBs9BbZvo+iwIgWBKQ2bYRLCA\n" \
    "zVGYG6fJHlWX4nRvpUXEkpF583wCtE4qit9PZ20WnoSEO5DL0VhMbvydqjANkFkT\n" \
    "pzJ19eGgrdBuaVal11+TonXYmQ3cFLXAyYVc1ZWXqk7fOHfhHE17zh8HVDHwpc1X\n" \
    "EQIDAQAB\n" \
    "-----END PUBLIC KEY-----\n"

#define RSA_PRIVATE \
    "-----BEGIN PRIVATE KEY-----\n" \
    "MIIEvAIBADANBgkqhkiG9w0BAQEFAASCBKYwggSiAgEAAoIBAQCs4mcPAVGVhQvE\n" \
    "6vo8WOvCGV6gydg2KDaIzHRoX0b/pf851TeFoH4dNh226r1jDlMCnXhLXM0rsGAO\n" \
    "lgM0khgua4LcGOXdje1c5BjMbAWmKt7QlXRL8t5DTiqYn0EZi1tvzFjC7gDHTAmB\n" \
    "EFpPuKFYsVPEdSK8gdPsCIjffCFvgKPg6fl11OaEKn9NBQUGz0Ftm+j6LAiBYEpD\n" \
    "ZthEsIDNUZgbp8keVZfidG+lRcSSkXnzfAK0TiqK309nbRaehIQ7kMvRWExu/J2q\n" \
    "MA2QWROnMnX14aCt0G5pVqXXX5OiddiZDdwUtcDJhVzVlZeqTt84d+EcTXvOHwdU\n" \
    "MfClzVcRAgMBAAECggEAFL0/e2DUnnkB6EL/TCWnToxdj4X3LnP/gBn1bZ80X1mp\n" \
    "9uWZjf7/8gAlFhAt3PKsdEKwr2sNX8wo5xxe0REk3nizj4oFv+C/6eX2WvDVx/vE\n" \
    "6UUXLj85zjLT0FBBGSU1uFZ4CsD4uJpqBMtnPMCwy6N7dt9Nu0sLFvm6da4okqgA\n" \
    "8Q1BWirdFsB6iQlEqJUDtSbRWLSk/oz9xZ3Ct2IL+0Dg+Pilh3RnbW75HynPbFix\n" \
    "no3Dzk+2Qa9JjaDQOf2T6YAv/O5duFBlOS8V1kf8Asxb1vqBbQIniHBkx7mjSaYr\n" \
    "IkM4iw3pyOzcew7ozKi/8IrneUx2hzv8WPGGIC0bGwKBgQDU4ZXM4jQsM98cOqmR\n" \
    "Bllv2ygnS5dR9rlV+MTfk4FQE0eH8AHDjjiPJ3b/I1OCsPW2DSuRX5gQ6vKBoS+K\n" \
    "FvJvZmgu2mEuJMtx4Hp3GYyo60LXAozqr73pIw59JYYmDBy76xbJZpOPeqeKqS14\n" \
    "o7sBVYiaCCYtB+ZSaxN3IeLVMwKBgQDP5uJjVTRD16/Io4KscVUDcmIBNHjnWKRq\n" \
    "LLkcyzAL+yyOPv37ynptRaY2w78KEdcjb1+Afz+BdWnUheE6fVdwkFGLXyoL4BbX\n" \
    "2E8WDD0OlZDEgtadv9OlkAFnlciBjhLAda+Pu4SjrCL8jld2+XVzRIjeUaZP4sc8\n" \
    "J8SP8FdaqwKBgHAxD0yyLkLZd40eEX1/9iSwQIItIWut9tErUT5vM6hq8LjgsV1J\n" \
    "l99CMkGWcY2gC27NlBeCZNcNq47Lzw0cuNojA2cl6i9ybtHuNzyLd4kSq+A61N9e\n" \
    "jVzP//POkdt9aKtU42ZzK/Ni9edq767zwzuZw2tCPjRfRHBNRC316uDnAoGAZHaI\n" \
    "jUGeGO6ABi9lNNkrIJhEXZqylfCSuq/T3+Mb255LYI12BBdK48TVVf9vMHmAgaIO\n" \
    "/zP+RxuqwUTUmoP5He7PSM76rXRi9XiUdu4BDywdIair9ty8dHPLCfgqRNiXnSMB\n" \
    "bC5MIR9MZMiP4XEYXVQP44aHHHFUn3AEHx4fyDMCgYB4Mz1oAMIF26vnQxBAvxMy\n" \
    "lycYMHR6Tbk1HFFOJGY8Q8R6ZrlBArWO7ZXTNfxgYJvTutqJyEqUlVZW7V80pE2Y\n" \
    "hpVV91EypY2zXufVMr3I3odbTVkcefqPFjxXYEwrldVA9QdK4HHnaLfmmTX8gTmT\n" \
    "N0YfNKbSs+K9fxRDREc9Dg==\n" \
    "-----END PRIVATE KEY-----\n"

#define RSA_TRADITIONAL \
    "-----BEGIN RSA PRIVATE KEY-----\n" \
    "MIIEogIBAAKCAQEArOJnDwFRlYULxOr6PFjrwhleoMnYNig2iMx0aF9G/6X/OdU3\n" \
    "haB+HTYdtuq9Yw5TAp14S1zNK7BgDpYDNJIYLmuC3Bjl3Y3tXOQYzGwFpire0JV0\n" \
    "S/LeQ04qmJ9BGYtbb8xYwu4Ax0wJgRBaT7ihWLFTxHUivIHT7AiI33whb4Cj4On5\n" \
    "ddTmhCp/TQUFBs9BbZvo+iwIgWBKQ2bYRLCAzVGYG6fJHlWX4nRvpUXEkpF583wC\n" \
    "tE4qit9PZ20WnoSEO5DL0VhMbvydqjANkFkTpzJ19eGgrdBuaVal11+TonXYmQ3c\n" \
    "FLXAyYVc1ZWXqk7fOHfhHE17zh8HVDHwpc1XEQIDAQABAoIBABS9P3tg1J55AehC\n" \
    "/0wlp06MXY+F9y5z/4AZ9W2fNF9ZqfblmY3+//IAJRYQLdzyrHRCsK9rDV/MKOcc\n" \
    "XtERJN54s4+KBb/gv+nl9lrw1cf7xOlFFy4/Oc4y09BQQRklNbhWeArA+LiaagTL\n" \
    "ZzzAsMuje3bfTbtLCxb5unWuKJKoAPENQVoq3RbAeokJRKiVA7Um0Vi0pP6M/cWd\n" \
    "wrdiC/tA4Pj4pYd0Z21u+R8pz2xYsZ6Nw85PtkGvSY2g0Dn9k+mAL/zuXbhQZTkv\n" \
    "FdZH/ALMW9b6gW0CJ4hwZMe5o0mmKyJDOIsN6cjs3HsO6Myov/CK53lMdoc7/Fjx\n" \
    "hiAtGxsCgYEA1OGVzOI0LDPfHDqpkQZZb9soJ0uXUfa5VfjE35OBUBNHh/ABw444\n" \
    "jyd2/yNTgrD1tg0rkV+YEOrygaEvihbyb2ZoLtphLiTLceB6dxmMqOtC1wKM6q+9\n" \
    "6SMOfSWGJgwcu+sWyWaTj3qniqkteKO7AVWImggmLQfmUmsTdyHi1TMCgYEAz+bi\n" \
    "Y1U0Q9evyKOCrHFVA3JiATR451ikaiy5HMswC/ssjj79+8p6bUWmNsO/ChHXI29f\n" \
    "gH8/gXVp1IXhOn1XcJBRi18qC+AW19hPFgw9DpWQxILWnb/TpZABZ5XIgY4SwHWv\n" \
    "j7uEo6wi/I5Xdvl1c0SI3lGmT+LHPCfEj/BXWqsCgYBwMQ9Msi5C2XeNHhF9f/Yk\n" \
    "sECCLSFrrfbRK1E+bzOoavC44LFdSZffQjJBlnGNoAtuzZQXgmTXDauOy88NHLja\n" \
    "IwNnJeovcm7R7jc8i3eJEqvgOtTfXo1cz//zzpHbfWirVONmcyvzYvXnau+u88M7\n" \
    "mcNrQj40X0RwTUQt9erg5wKBgGR2iI1BnhjugAYvZTTZKyCYRF2aspXwkrqv09/j\n" \
    "G9ueS2CNdgQXSuPE1VX/bzB5gIGiDv8z/kcbqsFE1JqD+R3uz0jO+q10YvV4lHbu\n" \
    "AQ8sHSGoq/bcvHRzywn4KkTYl50jAWwuTCEfTGTIj+FxGF1UD+OGhxxxVJ9wBB8e\n" \
    "H8gzAoGAeDM9aADCBdur50MQQL8TMpcnGDB0ek25NRxRTiRmPEPEema5QQK1ju2V\n" \
    "0zX8YGCb07raichKlJVWVu1fNKRNmIaVVfdRMqWNs17n1TK9yN6HW01ZHHn6jxY8\n" \
    "V2BMK5XVQPUHSuBx52i35pk1/IE5kzdGHzSm0rPivX8UQ0RHPQ4=\n" \
    "-----END RSA PRIVATE KEY-----\n"

#define RSA_TRADITIONAL_ENCRYPTED \
    "-----BEGIN RSA PRIVATE KEY-----\n" \
    "Proc-Type: 4,ENCRYPTED\n" \
    "DEK-Info: AES-128-CBC,84B97C96959C4799231B13BBEB766379\n" \
    "\n" \
    "TRqUmrAbcXJxi2ejCBaH6DuTk3+X3ZH10kYflrap0wVFwCyMLkg4A8PYpHw6+MHZ\n" \
    "2wGMpL7A3TBy6IIxF7IEgspx6SW1DhuzL8TQaZfVhCBuLZUUE9j47XF2FLhx21Ko\n" \
    "1cyoiEYBzF3E7LGOMRVrsNwrlob6Zq/rrzvBdhTXCjz09aieDidoQA6UvTcfMQ2R\n" \
    "cfjvf5FURtnS7mOhabcNpzPyLphVzTeNwGP26+PxyCH/xZ/1xhPWkASbffQPPkIN\n" \
    "HWfk9S2jxKnISMUC+k0FTiW+MI0IXxbYpqJQBzVpS1tAnCm4cDgRqNvkg2SlVPPj\n" \
    "bL/mmO8HgEDpkQgy7vGcDuCxVDWfGkk48CiVv6bLeo9IB2nRyAQXo/58sN3WhAIw\n" \
    "k9IXM6bX1wkl+dtF3oYTgT1jRywqppsRH48qrRmTw+60E1nK42QBAaWyjApt9mqo\n" \
    "X003/q4ViFil1H/v0rTTIdx/wh3cxdzeeRHcIpeW1AJDwdCY3bualfJGdvE77vq+\n" \
    "T6fHGYH/RyciFCDwvRE7rZepbkpXF/ZNZfnCL+vnaMIOsQvz+9VnSpaQyWtsUtPP\n" \
    "KdY8SLqKVCMAVS4MtGwCLGsR2BHMGhpXYa74V5trS39LgiZtSoelg6XgdjHmbD0M\n" \
    "l1OLSDV85uFrJrgVOCaUG/g3+vIlD+Fx4lPGCw/HfS7fEBWz5qt3vbfW9/dftla9\n" \
    "8ifsb7aDSr1JV1zLytmCP0BsFMvQ/bAhs9gM6OSgrWrC1KeKfJZz7kL7tsEtvXmP\n" \
    "eKdrVZ+CAbjYvCmhFCYdOnYPxfq00kqZkESHtGdrcLe/8hJAeNHl0xHMhBMviEEV\n" \
    "DK4op5ezorcQQDpGYLOIjRPs93b/5rh5zn/Iylbxrp0EByz3S2WfbRdD4q5ANnan\n" \
    "a/fZzJ9rsOKDk1LXKmTWYjRY+NTdrxhs15lPyn/1vweOUo/+Y4jXNcSLTgEe2y07\n" \
    "Wd+h+l0hpI3B/J8+bESCGFvVx7fHzskw2/hN8qcojEpH1OshmESuEr1Grvfa/6UH\n" \
    "kaoIzyILxfPT225dIaBHx/S6kRjSQSPbTdu1keLPcE65oYux1+OADfVitnJO+xcu\n" \
    "f06lj+0RfTKlWEPHCrzpcisfOmAizvJA62CU3mY3KVtDCqnOJ1KowB5cMH+3yowI\n" \
    "7h1ywdjKtIoGYg5e7D3QY1YBTwpu8uYZcQVV1ffPDOhYPUO31mP/JEgfJauY22gO\n" \
    "WUaAjzqhkCs5dLOjONvsKkUTH9bhMjuIVwQUEDrO06e4/6UqxQRZ35FhsC9T3QMk\n" \
    "4vS7ggZ01rTyfmy1RB0cumc6iUIPHRyDC1jfG8ceQbn6QX9RHyt9+6MV8FIgAcKv\n" \
    "+CvBOOR33BE+aX3W6ZV4/ZrxmBWKmniCWLI3dW62wykQoB0IKq++ftvi+mt1oCww\n" \
    "3RkPOpEsXrFod5nlI0JdTg+mvmzEJSFBTpMtQhYd2WAkkfE5tS1VEauiMuXP8j/6\n" \
    "B1iNVaXgYbTHIdD1vAJnTcUgyWF9T6Jga1n+OBWAyecj55lzOH1ZAme5ltZkMP9A\n" \
    "C7nWEBpAxiGstTr4nhavINmhdbpOLJ+xNiAlo3/37tyGZxUGrAHIBiHx6zJzBWz8\n" \
    "-----END RSA PRIVATE KEY-----\n"

#define RSA_PKCS1 \
    "-----BEGIN RSA PUBLIC KEY-----\n" \
    "MIIBCgKCAQEArOJnDwFRlYULxOr6PFjrwhleoMnYNig2iMx0aF9G/6X/OdU3haB+\n" \
    "HTYdtuq9Yw5TAp14S1zNK7BgDpYDNJIYLmuC3Bjl3Y3tXOQYzGwFpire0JV0S/Le\n" \
    "Q04qmJ9BGYtbb8xYwu4Ax0wJgRBaT7ihWLFTxHUivIHT7AiI33whb4Cj4On5ddTm\n" \
    "hCp/TQUFBs9BbZvo+iwIgWBKQ2bYRLCAzVGYG6fJHlWX4nRvpUXEkpF583wCtE4q\n" \
    "it9PZ20WnoSEO5DL0VhMbvydqjANkFkTpzJ19eGgrdBuaVal11+TonXYmQ3cFLXA\n" \
    "yYVc1ZWXqk7fOHfhHE17zh8HVDHwpc1XEQIDAQAB\n" \
    "-----END RSA PUBLIC KEY-----\n"

#define RSA_CERTIFICATE \
    "-----BEGIN CERTIFICATE-----\n" \
    "MIIDETCCAfmgAwIBAgIUQqhzUOaEsQgnqCEHS5/d3xIY/T0wDQYJKoZIhvcNAQEL\n" \
    "BQAwFzEVMBMGA1UEAwwMc2hvcC5leGFtcGxlMCAXDTI2MTEyMTIzNTMyMFoYDzIx\n" \
    "MjYxMDI4MjM1MzIwWjAXMRUwEwYDVQQDDAxzaG9wLmV4YW1wbGUwggEiMA0GCSqG\n" \
    "SIb3DQEBAQUAA4IBDwAwggEKAoIBAQCs4mcPAVGVhQvE6vo8WOvCGV6gydg2KDaI\n" \
    "zHRoX0b/pf851TeFoH4dNh226r1jDlMCnXhLXM0rsGAOlgM0khgua4LcGOXdje1c\n" \
    "5BjMbAWmKt7QlXRL8t5DTiqYn0EZi1tvzFjC7gDHTAmBEFpPuKFYsVPEdSK8gdPs\n" \
    "CIjffCFvgKPg6fl11OaEKn9NBQUGz0Ftm+j6LAiBYEpDZthEsIDNUZgbp8keVZfi\n" \
    "dG+lRcSSkXnzfAK0TiqK309nbRaehIQ7kMvRWExu/J2qMA2QWROnMnX14aCt0G5p\n" \
    "VqXXX5OiddiZDdwUtcDJhVzVlZeqTt84d+EcTXvOHwdUMfClzVcRAgMBAAGjUzBR\n" \
    "MB0GA1UdDgQWBBRdgx7vlTw0h6fciiS/uAgSYUNOZzAfBgNVHSMEGDAWgBRdgx7v\n" \
    "lTw0h6fciiS/uAgSYUNOZzAPBgNVHRMBAf8EBTADAQH/MA0GCSqGSIb3DQEBCwUA\n" \
    "A4IBAQCBI62vzqe39orL3MaHEkW0y1naU7KALdjmTPXW8KU4/josP2il+B8q80bb\n" \
    "bwOxt9z3Bb97jzHsJhWnuCSUgAhjyuSdCzyOtX7DNDsWk1pHph55YDYiyQWBUHTk\n" \
    "Ke7D20TLUHQrnMOMI8IwwUc3h8rq9dKz/EeeEEDIOxkzTAhIaC2DqtiHBuTMAxkg\n" \
    "zukMCCQ6J/cSIzoPu4LeTURMFQWbOftPwcnKwPToEzX8qArMMfHsHn2msVMzuolq\n" \
    "SMxQaTjUMcZMwMU+2fVF4OmWVUSrQyOGM9Df7QCHdbjRWUM2mIAKzmI5d96LAV5j\n" \
    "xdAdE72KuFJ0V3xqcCzRxNgnAgRV\n" \
    "-----END CERTIFICATE-----\n"

#define RSA_1024_PUBLIC \
    "-----BEGIN PUBLIC KEY-----\n" \
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC6dBQjarNv7UQZRlaEjMgdJtJU\n" \
    "Rn8ZgCXtpmV0PvUKCpGSJe7mDE5vPze57Dz16NElmG6GoPkFpAQ1ftte/C54Q4J5\n" \
    "M6KCXkVG2kSIe5fJHtEB01vBzzo5EDfbsC3xcPh+zRMeOIkfxzmmDTo3UWe5hu77\n" \
    "rKdnS6dQw7pccDM3JQIDAQAB\n" \
    "-----END PUBLIC KEY-----\n"

#define RSA_PSS_EXACT_PUBLIC \
    "-----BEGIN PUBLIC KEY-----\n" \
    "MIIBVjBBBgkqhkiG9w0BAQowNKAPMA0GCWCGSAFlAwQCAwUAoRwwGgYJKoZIhvcN\n" \
    "AQEIMA0GCWCGSAFlAwQCAwUAogMCAUADggEPADCCAQoCggEBALWqv/uauWs3iFWd\n" \
    "iDTqo1XBNAejBlj3OEiEtzZVQ6QmlsZ27BHkSr8um1wETF9b9Nc1ofsM/Ua41W+J\n" \
    "RHlVFGCJR2AjjQNby9seuHemNzQEfoDIbl+5wZmOtZWmBtFPHLCag4Xwlb8yJzG6\n" \
    "MQV5auN2TtHQIcbsx3+mQDF38Ogtd6mzRELPjIopOi6fdnoElanSkZSg18sA4JId\n" \
    "sx+ftgqeIpgEpoSV5fBGxRu+gISKSJvHaYiRWMA36o4O/VyKdPRP65GRSg+QiVtl\n" \
    "i7HnPWZ/10FxbJGM82os1MqNvwrFyjpSmFGZH2HIaLSpaGUZdhMDZHhGiLCfh2lm\n" \
    "oH3MHvkCAwEAAQ==\n" \
    "-----END PUBLIC KEY-----\n"

#define RSA_PSS_EXACT_PRIVATE \
    "-----BEGIN PRIVATE KEY-----\n" \
    "MIIE8gIBADBBBgkqhkiG9w0BAQowNKAPMA0GCWCGSAFlAwQCAwUAoRwwGgYJKoZI\n" \
    "hvcNAQEIMA0GCWCGSAFlAwQCAwUAogMCAUAEggSoMIIEpAIBAAKCAQEAtaq/+5q5\n" \
    "azeIVZ2INOqjVcE0B6MGWPc4SIS3NlVDpCaWxnbsEeRKvy6bXARMX1v01zWh+wz9\n" \
    "RrjVb4lEeVUUYIlHYCONA1vL2x64d6Y3NAR+gMhuX7nBmY61laYG0U8csJqDhfCV\n" \
    "vzInMboxBXlq43ZO0dAhxuzHf6ZAMXfw6C13qbNEQs+Miik6Lp92egSVqdKRlKDX\n" \
    "ywDgkh2zH5+2Cp4imASmhJXl8EbFG76AhIpIm8dpiJFYwDfqjg79XIp09E/rkZFK\n" \
    "D5CJW2WLsec9Zn/XQXFskYzzaizUyo2/CsXKOlKYUZkfYchotKloZRl2EwNkeEaI\n" \
    "sJ+HaWagfcwe+QIDAQABAoIBAENcnjWAiNJ90/rTIAdnHcuViWJvi9H/UYpqU7k8\n" \
    "4okCmhPbUuvLd//uG0OCgIM3iNEoHPkHNv87WEE0aASJjLXDEYlPhWFCb5O/j20m\n" \
    "X//UzseYCn1KVsRGy4RC/PIt4JiHos9Oh2hPA4OH49eAzyaq3s0j3PJzKAJoNhNh\n" \
    "wx2D5juIm6M/fTeGG/ZULYvy02bK72Lvgm/KiEelmdG8+JoubhTejyo2GvikkurG\n" \
    "YcI3AUPxsWEiF7x4qY5wCXwVOdf/hWemeDsMJ6WlabJvAAJknKACbc2QMlD0y3K7\n" \
    "mEvx2zA4jZ1232Lm/6dgEBmgT3uP2nwVxtkv+Hyj/J5CcGUCgYEA5ndf1KLiJiig\n" \
    "oNSI2M6/2wopmYAmdkeqLVYX33IUjduGbdieUg0yPjHjljokRhzAhqvaL08503qV\n" \
    "zbKYX2jcCRv/lyFJaXyQsqhZsp8XOfwO+Asfq5Wp5bawTzjLkrMn1CNyMHDs6c3F\n" \
    "PhuwtJ+hX4mEIMnuj/Iv/MgUHHhGWa8CgYEAyctMu/hXquMSzqGK7dtNVQA8uYb3\n" \
    "9ZVdFVSMZpmCU0+PSpvkPQzsn50aYi5KccTKIbp22511DOCU6aMjsJt31P+akrTc\n" \
    "qx3RzlDlMW2ntss8fnTUrd0i98bxSv3idhbDx2ZB0gi4S0K5SCHpvPim8c3ycthH\n" \
    "ZsnDIva7P1giQ9cCgYEAudvDWMQTBRr2jz1XLyFs78R+T+BdJD4fK3imv/hMQyqq\n" \
    "eqOa6ijiP+4Tz+8Lmc9OJE0rI8QMqlPNw5kn8Kmr6Vy+/q5FeeCPAMVrsPVD0etI\n" \
    "VxkBbWrBHRP7k6gF5ES+9gGv8Qjgxpy/WJsUIlYp2dYYzCiNT2DM+lqQfXUxptkC\n" \
    "gYBk0MLnbi0uXP/6Z86nAtdhzhqIfhvHf/XfQDxczfjEco0eM0AWGCznmW+i+YmL\n" \
    "yUtLCoNzOPlPk6wSBcVA6Is3yPOKs/1DKES3lMbMqQIPWv5AF1JiAocDz0qhsrG/\n" \
    "WaQ6LKZZrq2UPCOhHABQvtF5IPEt20vg2JA7GZV3EiscRQKBgQCaDDJFM/AC7mGc\n" \
    "xSbpoGeJwSuC6vzpvEYoYmmigeOKhFSBDnZX+qP8J+Uf8ATt3cBEF+0oonii0iOy\n" \
    "l6VdoLeSqcSTiu6c39THLPbRV0kFCrUYU/B3ym2r9CC7nCRfrs2F71Sr1/uQR5Eq\n" \
    "+vwDFPFWP/eT2UR7zjs5D7NlYStm8g==\n" \
    "-----END PRIVATE KEY-----\n"

#define RSA_PSS_NO_NULL \
    "-----BEGIN PUBLIC KEY-----\n" \
    "MIIBUjA9BgkqhkiG9w0BAQowMKANMAsGCWCGSAFlAwQCA6EaMBgGCSqGSIb3DQEB\n" \
    "CDALBglghkgBZQMEAgOiAwIBQAOCAQ8AMIIBCgKCAQEAtaq/+5q5azeIVZ2INOqj\n" \
    "VcE0B6MGWPc4SIS3NlVDpCaWxnbsEeRKvy6bXARMX1v01zWh+wz9RrjVb4lEeVUU\n" \
    "YIlHYCONA1vL2x64d6Y3NAR+gMhuX7nBmY61laYG0U8csJqDhfCVvzInMboxBXlq\n" \
    "43ZO0dAhxuzHf6ZAMXfw6C13qbNEQs+Miik6Lp92egSVqdKRlKDXywDgkh2zH5+2\n" \
    "Cp4imASmhJXl8EbFG76AhIpIm8dpiJFYwDfqjg79XIp09E/rkZFKD5CJW2WLsec9\n" \
    "Zn/XQXFskYzzaizUyo2/CsXKOlKYUZkfYchotKloZRl2EwNkeEaIsJ+HaWagfcwe\n" \
    "+QIDAQAB\n" \
    "-----END PUBLIC KEY-----\n"

#define RSA_PSS_SHA256 \
    "-----BEGIN PUBLIC KEY-----\n" \
    "MIIBVjBBBgkqhkiG9w0BAQowNKAPMA0GCWCGSAFlAwQCAQUAoRwwGgYJKoZIhvcN\n" \
    "AQEIMA0GCWCGSAFlAwQCAQUAogMCASADggEPADCCAQoCggEBALWqv/uauWs3iFWd\n" \
    "iDTqo1XBNAejBlj3OEiEtzZVQ6QmlsZ27BHkSr8um1wETF9b9Nc1ofsM/Ua41W+J\n" \
    "RHlVFGCJR2AjjQNby9seuHemNzQEfoDIbl+5wZmOtZWmBtFPHLCag4Xwlb8yJzG6\n" \
    "MQV5auN2TtHQIcbsx3+mQDF38Ogtd6mzRELPjIopOi6fdnoElanSkZSg18sA4JId\n" \
    "sx+ftgqeIpgEpoSV5fBGxRu+gISKSJvHaYiRWMA36o4O/VyKdPRP65GRSg+QiVtl\n" \
    "i7HnPWZ/10FxbJGM82os1MqNvwrFyjpSmFGZH2HIaLSpaGUZdhMDZHhGiLCfh2lm\n" \
    "oH3MHvkCAwEAAQ==\n" \
    "-----END PUBLIC KEY-----\n"

#define RSA_PSS_MGF1_SHA256 \
    "-----BEGIN PUBLIC KEY-----\n" \
    "MIIBVjBBBgkqhkiG9w0BAQowNKAPMA0GCWCGSAFlAwQCAwUAoRwwGgYJKoZIhvcN\n" \
    "AQEIMA0GCWCGSAFlAwQCAQUAogMCAUADggEPADCCAQoCggEBALWqv/uauWs3iFWd\n" \
    "iDTqo1XBNAejBlj3OEiEtzZVQ6QmlsZ27BHkSr8um1wETF9b9Nc1ofsM/Ua41W+J\n" \
    "RHlVFGCJR2AjjQNby9seuHemNzQEfoDIbl+5wZmOtZWmBtFPHLCag4Xwlb8yJzG6\n" \
    "MQV5auN2TtHQIcbsx3+mQDF38Ogtd6mzRELPjIopOi6fdnoElanSkZSg18sA4JId\n" \
    "sx+ftgqeIpgEpoSV5fBGxRu+gISKSJvHaYiRWMA36o4O/VyKdPRP65GRSg+QiVtl\n" \
    "i7HnPWZ/10FxbJGM82os1MqNvwrFyjpSmFGZH2HIaLSpaGUZdhMDZHhGiLCfh2lm\n" \
    "oH3MHvkCAwEAAQ==\n" \
    "-----END PUBLIC KEY-----\n"

#define RSA_PSS_SALT_32 \
    "-----BEGIN PUBLIC KEY-----\n" \
    "MIIBVjBBBgkqhkiG9w0BAQowNKAPMA0GCWCGSAFlAwQCAwUAoRwwGgYJKoZIhvcN\n" \
    "AQEIMA0GCWCGSAFlAwQCAwUAogMCASADggEPADCCAQoCggEBALWqv/uauWs3iFWd\n" \
    "iDTqo1XBNAejBlj3OEiEtzZVQ6QmlsZ27BHkSr8um1wETF9b9Nc1ofsM/Ua41W+J\n" \
    "RHlVFGCJR2AjjQNby9seuHemNzQEfoDIbl+5wZmOtZWmBtFPHLCag4Xwlb8yJzG6\n" \
    "MQV5auN2TtHQIcbsx3+mQDF38Ogtd6mzRELPjIopOi6fdnoElanSkZSg18sA4JId\n" \
    "sx+ftgqeIpgEpoSV5fBGxRu+gISKSJvHaYiRWMA36o4O/VyKdPRP65GRSg+QiVtl\n" \
    "i7HnPWZ/10FxbJGM82os1MqNvwrFyjpSmFGZH2HIaLSpaGUZdhMDZHhGiLCfh2lm\n" \
    "oH3MHvkCAwEAAQ==\n" \
    "-----END PUBLIC KEY-----\n"

#define RSA_PSS_DEFAULTS \
    "-----BEGIN PUBLIC KEY-----\n" \
    "MIIBIjANBgkqhkiG9w0BAQowAAOCAQ8AMIIBCgKCAQEAtaq/+5q5azeIVZ2INOqj\n" \
    "VcE0B6MGWPc4SIS3NlVDpCaWxnbsEeRKvy6bXARMX1v01zWh+wz9RrjVb4lEeVUU\n" \
    "YIlHYCONA1vL2x64d6Y3NAR+gMhuX7nBmY61laYG0U8csJqDhfCVvzInMboxBXlq\n" \
    "43ZO0dAhxuzHf6ZAMXfw6C13qbNEQs+Miik6Lp92egSVqdKRlKDXywDgkh2zH5+2\n" \
    "Cp4imASmhJXl8EbFG76AhIpIm8dpiJFYwDfqjg79XIp09E/rkZFKD5CJW2WLsec9\n" \
    "Zn/XQXFskYzzaizUyo2/CsXKOlKYUZkfYchotKloZRl2EwNkeEaIsJ+HaWagfcwe\n" \
    "+QIDAQAB\n" \
    "-----END PUBLIC KEY-----\n"

#define RSA_PSS_TRAILER \
    "-----BEGIN PUBLIC KEY-----\n" \
    "MIIBWzBGBgkqhkiG9w0BAQowOaAPMA0GCWCGSAFlAwQCAwUAoRwwGgYJKoZIhvcN\n" \
    "AQEIMA0GCWCGSAFlAwQCAwUAogMCAUCjAwIBAQOCAQ8AMIIBCgKCAQEAtaq/+5q5\n" \
    "azeIVZ2INOqjVcE0B6MGWPc4SIS3NlVDpCaWxnbsEeRKvy6bXARMX1v01zWh+wz9\n" \
    "RrjVb4lEeVUUYIlHYCONA1vL2x64d6Y3NAR+gMhuX7nBmY61laYG0U8csJqDhfCV\n" \
    "vzInMboxBXlq43ZO0dAhxuzHf6ZAMXfw6C13qbNEQs+Miik6Lp92egSVqdKRlKDX\n" \
    "ywDgkh2zH5+2Cp4imASmhJXl8EbFG76AhIpIm8dpiJFYwDfqjg79XIp09E/rkZFK\n" \
    "D5CJW2WLsec9Zn/XQXFskYzzaizUyo2/CsXKOlKYUZkfYchotKloZRl2EwNkeEaI\n" \
    "sJ+HaWagfcwe+QIDAQAB\n" \
    "-----END PUBLIC KEY-----\n"

#define RSA_PSS_EXACT_PKCS1 \
    "-----BEGIN RSA PUBLIC KEY-----\n" \
    "MIIBCgKCAQEAtaq/+5q5azeIVZ2INOqjVcE0B6MGWPc4SIS3NlVDpCaWxnbsEeRK\n" \
    "vy6bXARMX1v01zWh+wz9RrjVb4lEeVUUYIlHYCONA1vL2x64d6Y3NAR+gMhuX7nB\n" \
    "mY61laYG0U8csJqDhfCVvzInMboxBXlq43ZO0dAhxuzHf6ZAMXfw6C13qbNEQs+M\n" \
    "iik6Lp92egSVqdKRlKDXywDgkh2zH5+2Cp4imASmhJXl8EbFG76AhIpIm8dpiJFY\n" \
    "wDfqjg79XIp09E/rkZFKD5CJW2WLsec9Zn/XQXFskYzzaizUyo2/CsXKOlKYUZkf\n" \
    "YchotKloZRl2EwNkeEaIsJ+HaWagfcwe+QIDAQAB\n" \
    "-----END RSA PUBLIC KEY-----\n"

#define RSA_PKCS1_LONGER \
    "-----BEGIN RSA PUBLIC KEY-----\n" \
    "MIIBCgKCAQEAtaq/+5q5azeIVZ2INOqjVcE0B6MGWPc4SIS3NlVDpCaWxnbsEeRK\n" \
    "vy6bXARMX1v01zWh+wz9RrjVb4lEeVUUYIlHYCONA1vL2x64d6Y3NAR+gMhuX7nB\n" \
    "mY61laYG0U8csJqDhfCVvzInMboxBXlq43ZO0dAhxuzHf6ZAMXfw6C13qbNEQs+M\n" \
    "iik6Lp92egSVqdKRlKDXywDgkh2zH5+2Cp4imASmhJXl8EbFG76AhIpIm8dpiJFY\n" \
    "wDfqjg79XIp09E/rkZFKD5CJW2WLsec9Zn/XQXFskYzzaizUyo2/CsXKOlKYUZkf\n" \
    "YchotKloZRl2EwNkeEaIsJ+HaWagfcwe+QIDAQABAA==\n" \
    "-----END RSA PUBLIC KEY-----\n"

#define RSA_PSS_PUBLIC \
    "-----BEGIN PUBLIC KEY-----\n" \
    "MIIBIDALBgkqhkiG9w0BAQoDggEPADCCAQoCggEBAMvK0k4WGbf5wYEm84x975an\n" \
    "JWPE1N9Y/eQVjn1Bx5o18jmzESb0/mGi7K24WCBYDaQGixw4jsUbZhs+ABGt08/C\n" \
    "WoylBZSl0YBbg2Dd4WikqUbWc94G7ar6XPSAywt690EjOP8AnD2P4G8YdukhNlJ7\n" \
    "7RtzAVxEAd0tP4LvzdA4xPEAW/YdH9XTOYhORTpQkApS+W+MRS4nwneuEfjTRA2R\n" \
    "EFnnNtQrFYTUm2e9+Xz3zi5T0ZJrcH5UkgmkJwdJ/zz66DjX2DcctAzdTnKsPan7\n" \
    "D6AbDhZeBiriGFGM0uZDlhP/KCJuKjBPMt9697NbvG/xZJbrXZRtyU2hixEFbpMC\n" \
    "AwEAAQ==\n" \
    "-----END PUBLIC KEY-----\n"

#define RSA_PSS_PRIVATE \
    "-----BEGIN PRIVATE KEY-----\n" \
    "MIIEuwIBADALBgkqhkiG9w0BAQoEggSnMIIEowIBAAKCAQEAy8rSThYZt/nBgSbz\n" \
    "jH3vlqclY8TU31j95BWOfUHHmjXyObMRJvT+YaLsrbhYIFgNpAaLHDiOxRtmGz4A\n" \
    "Ea3Tz8JajKUFlKXRgFuDYN3haKSpRtZz3gbtqvpc9IDLC3r3QSM4/wCcPY/gbxh2\n" \
    "6SE2UnvtG3MBXEQB3S0/gu/N0DjE8QBb9h0f1dM5iE5FOlCQClL5b4xFLifCd64R\n" \
    "+NNEDZEQWec21CsVhNSbZ735fPfOLlPRkmtwflSSCaQnB0n/PProONfYNxy0DN1O\n" \
    "cqw9qfsPoBsOFl4GKuIYUYzS5kOWE/8oIm4qME8y33r3s1u8b/FklutdlG3JTaGL\n" \
    "EQVukwIDAQABAoIBABxCP/lN/Tun/q9/DDnzY0axChvp467OM0lDvUzHKKYh9uMO\n" \
    "CUHX/8eK2mZDGrfuyILHLtZh+AIts3Hxnfwq7iUas92u1bWawhCaH/9NpSpn3YU8\n" \
    "yuJYdEUc5HOPFxi8xg5v6Ou1/58AasRc+xgxX8v+R+RiL9JwfRBYwZF8LpOXHEh+\n" \
    "4gf7R286MigjfPXUdY17zKs7IUTmjlDku2nmjjQqUIJ8FI0mlnQ2E8P4E39doWzX\n" \
    "ZJWAb7dAdqJ2lEqKjW5WjCF6w43/3WGDDUyPaWvqRLOAM4/HsgLmJVjUxToN1ys/\n" \
    "FwhZgEI7vaqnOyxf4brhys2n+KUCYbqNHnGfgrkCgYEA6c6RalB9yDgPYWl++GXp\n" \
    "tBgN73tUB1fT+fY+Zbc7hx2tV16yZBi1vsgON9hBugKej8sdkFxakK84DT2QvkTW\n" \
    "vv4qZL46wxa/Xsjba71K5M3qb4Wv7EGuViX4jnU6bVazXOmi331qRspuGGOhDk3e\n" \
    "1tO5mBbKB2q8b9Rb3tArMjcCgYEA3yLoV40dedtWHG7EMF519PjtOoJHC38ZVWsW\n" \
    "LWhPAmmKl6IzVqo0eW4GU4CUFeCJWsnXLaBoQtEWb+zcFxTyJf50uO0ZgjeG/shK\n" \
    "hc4j9xATWZTPia9VvxoB16OHGet2KOPfKdBt0ZVMhMbtYdDS1z2i62soxj4dhT4S\n" \
    "iPRCaIUCgYEA2OZ3ZIdziNDpA9eYoNv6qMY/91EULRO/ZP6Z+Ea6BKj1bD4/hDig\n" \
    "MnLpLcmDgAp6Cq/Fp2zl35+NgksBAmJeTiUAMyF+5gkuU8JGPHcJCaY1vGvrPmPY\n" \
    "Vbc4FQCPyWtLTgC4xlhUxYN6C0ox2VFIT0dvv7Y0ihjs41nAOL4ptJUCgYAVCbKE\n" \
    "Rq7HxXFJ/vuKX+2ZKjsbsBrIr7QQxKbzowkH/jFt+IIEosmNxVzdVJshsOjiYXNj\n" \
    "PuN1oUcPSHK7zmLCSEpzAQ/NojSdIv87vGLRsXdRk+E5ZwmbmfUggq+DNxsN4eYx\n" \
    "iBBCmWP8hNDuzwSB/LK2pYTTpBmebWrL9NOqDQKBgBww/jmfYp+WYWerBlWQeBup\n" \
    "ubRorwlNwab4HKcS+HqTI1gXTQzGANSVR1HRECLiCOCvRf8nGCVOQrFdsX32toQZ\n" \
    "PsUy50xreJ632LiWOcVo9gUASJgvwLDUVtPxGiS5N83OrERRPw6Sv5ld/AVPscD/\n" \
    "9zIQ8BJ5Z7vGEVQepUr7\n" \
    "-----END PRIVATE KEY-----\n"

#define ED25519_MEMBERS \
    "\"kty\":\"OKP\"" \
    ",\"crv\":\"Ed25519\"" \
    ",\"x\":\"JG9iIYS9b82U3u8IN0U4A2aX5BROnqfHNVx32R7KbfM\""

#define ED25519_SECRETS \
    ",\"d\":\"jwSETY1nj42_hIwIun3ugr4rMMAZrtXjVcYazW465Iw\""

#define P256_MEMBERS \
    "\"kty\":\"EC\"" \
    ",\"crv\":\"P-256\"" \
    ",\"x\":\"OFIifAXxl7Plx6Q4os4ZwhlsQxUNiEsev361QhlrduQ\"" \
    ",\"y\":\"aVgVMgpaT3a7JTkITZwFafbTjsGZzR85IFRjre7As6I\""

#define P256_SECRETS \
    ",\"d\":\"WsFd10Gkr4JaOlyuwX0seNDT3AWUNC6AryQH4TQCH4c\""

#define P384_MEMBERS \
    "\"kty\":\"EC\"" \
    ",\"crv\":\"P-384\"" \
    ",\"x\":\"dNJ2rOqoN6HBmQFVroHbZ9vMyXTe2tfKf6OGoGTMHeMRShxbP7nMSC6298jtf3iY\"" \
    ",\"y\":\"WWFJ7pc7RDHFtC6EnbvVdXv7aPc2BH6POmMI6bDyk2wqWIRXctvHVLnKhE2uNgXj\""

#define P384_SECRETS \
    ",\"d\":\"HPxweH0i7AlCV2e6ZHvOvd5UdhDW77sMafAgccW9J5CydCs2CuVGrRsk9JuADl33\""

#define RSA_MEMBERS \
    "\"kty\":\"RSA\"" \
    ",\"n\":\"rOJnDwFRlYULxOr6PFjrwhleoMnYNig2iMx0aF9G_6X_OdU3haB-HTYdtuq9Yw5TAp14S1zNK7BgDpYDNJIYLmuC3Bjl3Y3tXOQYzGwFpire0JV0S_LeQ04qmJ9BGYtbb8xYwu4Ax0wJgRBaT7ihWLFTxHUivIHT7AiI33whb4Cj4On5ddTmhCp_TQUFBs9BbZvo-iwIgWBKQ2bYRLCAzVGYG6fJHlWX4nRvpUXEkpF583wCtE4qit9PZ20WnoSEO5DL0VhMbvydqjANkFkTpzJ19eGgrdBuaVal11-TonXYmQ3cFLXAyYVc1ZWXqk7fOHfhHE17zh8HVDHwpc1XEQ\"" \
    ",\"e\":\"AQAB\""

#define RSA_SECRETS \
    ",\"d\":\"FL0_e2DUnnkB6EL_TCWnToxdj4X3LnP_gBn1bZ80X1mp9uWZjf7_8gAlFhAt3PKsdEKwr2sNX8wo5xxe0REk3nizj4oFv-C_6eX2WvDVx_vE6UUXLj85zjLT0FBBGSU1uFZ4CsD4uJpqBMtnPMCwy6N7dt9Nu0sLFvm6da4okqgA8Q1BWirdFsB6iQlEqJUDtSbRWLSk_oz9xZ3Ct2IL-0Dg-Pilh3RnbW75HynPbFixno3Dzk-2Qa9JjaDQOf2T6YAv_O5duFBlOS8V1kf8Asxb1vqBbQIniHBkx7mjSaYrIkM4iw3pyOzcew7ozKi_8IrneUx2hzv8WPGGIC0bGw\"" \
    ",\"p\":\"1OGVzOI0LDPfHDqpkQZZb9soJ0uXUfa5VfjE35OBUBNHh_ABw444jyd2_yNTgrD1tg0rkV-YEOrygaEvihbyb2ZoLtphLiTLceB6dxmMqOtC1wKM6q-96SMOfSWGJgwcu-sWyWaTj3qniqkteKO7AVWImggmLQfmUmsTdyHi1TM\"" \
    ",\"q\":\"z-biY1U0Q9evyKOCrHFVA3JiATR451ikaiy5HMswC_ssjj79-8p6bUWmNsO_ChHXI29fgH8_gXVp1IXhOn1XcJBRi18qC-AW19hPFgw9DpWQxILWnb_TpZABZ5XIgY4SwHWvj7uEo6wi_I5Xdvl1c0SI3lGmT-LHPCfEj_BXWqs\"" \
    ",\"dp\":\"cDEPTLIuQtl3jR4RfX_2JLBAgi0ha6320StRPm8zqGrwuOCxXUmX30IyQZZxjaALbs2UF4Jk1w2rjsvPDRy42iMDZyXqL3Ju0e43PIt3iRKr4DrU316NXM__886R231oq1TjZnMr82L152rvrvPDO5nDa0I-NF9EcE1ELfXq4Oc\"" \
    ",\"dq\":\"ZHaIjUGeGO6ABi9lNNkrIJhEXZqylfCSuq_T3-Mb255LYI12BBdK48TVVf9vMHmAgaIO_zP-RxuqwUTUmoP5He7PSM76rXRi9XiUdu4BDywdIair9ty8dHPLCfgqRNiXnSMBbC5MIR9MZMiP4XEYXVQP44aHHHFUn3AEHx4fyDM\"" \
    ",\"qi\":\"eDM9aADCBdur50MQQL8TMpcnGDB0ek25NRxRTiRmPEPEema5QQK1ju2V0zX8YGCb07raichKlJVWVu1fNKRNmIaVVfdRMqWNs17n1TK9yN6HW01ZHHn6jxY8V2BMK5XVQPUHSuBx52i35pk1_IE5kzdGHzSm0rPivX8UQ0RHPQ4\""

/* clang-format on */

#endif
