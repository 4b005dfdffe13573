/*
 * A FIDO token in software: the middleware that ssh and ssh-keygen load by -w or SecurityKeyProvider
 * (OpenSSH's PROTOCOL.u2f and sk-api.h, version 10). It knows ed25519 only, keeps the private key in the key
 * handle, and takes nobody's presence: for tests.
 *
 * libcrypto is declared here by hand, so that its headers are not needed to build.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define API_VERSION 0x000a0000
#define ED25519 1
#define ERR_GENERAL (-1)
#define ERR_UNSUPPORTED (-2)
#define USER_PRESENCE 0x01

/* libcrypto */
#define EVP_PKEY_ED25519 1087
typedef struct evp_pkey_st EVP_PKEY;
typedef struct evp_md_ctx_st EVP_MD_CTX;
EVP_PKEY *EVP_PKEY_new_raw_private_key(int type, void *engine, const unsigned char *key, size_t length);
int EVP_PKEY_get_raw_public_key(const EVP_PKEY *key, unsigned char *out, size_t *length);
void EVP_PKEY_free(EVP_PKEY *key);
EVP_MD_CTX *EVP_MD_CTX_new(void);
void EVP_MD_CTX_free(EVP_MD_CTX *context);
int EVP_DigestSignInit(EVP_MD_CTX *context, void **pkey_context, const void *type, void *engine, EVP_PKEY *key);
int EVP_DigestSign(EVP_MD_CTX *context, unsigned char *out, size_t *length, const unsigned char *in, size_t size);
unsigned char *SHA256(const unsigned char *in, size_t length, unsigned char *out);
int RAND_bytes(unsigned char *out, int length);

/* sk-api.h */
struct sk_enroll_response {
  uint8_t flags;
  uint8_t *public_key;
  size_t public_key_len;
  uint8_t *key_handle;
  size_t key_handle_len;
  uint8_t *signature;
  size_t signature_len;
  uint8_t *attestation_cert;
  size_t attestation_cert_len;
  uint8_t *authdata;
  size_t authdata_len;
};
struct sk_sign_response {
  uint8_t flags;
  uint32_t counter;
  uint8_t *sig_r;
  size_t sig_r_len;
  uint8_t *sig_s;
  size_t sig_s_len;
};
struct sk_option;
struct sk_resident_key;

uint32_t sk_api_version(void) { return API_VERSION; }

static uint8_t *room(size_t length, size_t *told) {
  *told = length;
  return calloc(1, length);
}

int sk_enroll(uint32_t alg, const uint8_t *challenge, size_t challenge_len, const char *application, uint8_t flags,
              const char *pin, struct sk_option **options, struct sk_enroll_response **out) {
  (void)challenge, (void)challenge_len, (void)application, (void)pin, (void)options;
  if (alg != ED25519) return ERR_UNSUPPORTED;
  struct sk_enroll_response *made = calloc(1, sizeof *made);
  if (!made) return ERR_GENERAL;
  made->flags = flags;
  made->key_handle = room(32, &made->key_handle_len);
  made->public_key = room(32, &made->public_key_len);
  made->signature = room(64, &made->signature_len);
  if (!made->key_handle || !made->public_key || !made->signature) return ERR_GENERAL;
  if (RAND_bytes(made->key_handle, 32) != 1) return ERR_GENERAL;
  EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, made->key_handle, 32);
  int well = key && EVP_PKEY_get_raw_public_key(key, made->public_key, &made->public_key_len);
  EVP_PKEY_free(key);
  if (!well) return ERR_GENERAL;
  *out = made;
  return 0;
}

/* What is signed: hash of the application, flags, counter, hash of the data. */
int sk_sign(uint32_t alg, const uint8_t *data, size_t data_len, const char *application, const uint8_t *key_handle,
            size_t key_handle_len, uint8_t flags, const char *pin, struct sk_option **options,
            struct sk_sign_response **out) {
  (void)pin, (void)options;
  if (alg != ED25519 || key_handle_len != 32) return ERR_UNSUPPORTED;
  struct sk_sign_response *made = calloc(1, sizeof *made);
  if (!made) return ERR_GENERAL;
  made->flags = flags & USER_PRESENCE;
  made->counter = 1;
  unsigned char text[32 + 1 + 4 + 32] = {0};
  SHA256((const unsigned char *)application, strlen(application), text);
  text[32] = made->flags;
  text[36] = 1;
  SHA256(data, data_len, text + 37);
  made->sig_r = room(64, &made->sig_r_len);
  EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, key_handle, 32);
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  int well = made->sig_r && key && context && EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1 &&
             EVP_DigestSign(context, made->sig_r, &made->sig_r_len, text, sizeof text) == 1;
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(key);
  if (!well) return ERR_GENERAL;
  *out = made;
  return 0;
}

int sk_load_resident_keys(const char *pin, struct sk_option **options, struct sk_resident_key ***keys,
                          size_t *count) {
  (void)pin, (void)options, (void)keys, (void)count;
  return ERR_UNSUPPORTED;
}
