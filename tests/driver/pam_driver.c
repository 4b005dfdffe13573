/*
 * Logs in through the real libpam, as an application would, and says what libpam said.
 *
 * Each line of standard input is one login: USER, then the answers to its prompts in order, separated by tabs.
 * A prompt for which no answer is left is a failed conversation. Each login prints one line:
 *
 *     index TAB result of pam_authenticate TAB nanoseconds TAB messages
 *
 * with the messages and prompts escaped and separated by '|', each led by its style (P: prompt unseen,
 * E: prompt echoed, I: info, X: error). After pam_authenticate, `-a` adds "/acct result" and `-s` "/setcred result".
 * The last line is "wall TAB nanoseconds" over all logins (warm-up left out); with one process, a line
 * "descriptors TAB before TAB after" comes before it.
 *
 *   -c DIR   PAM configuration directory (pam_start_confdir)
 *   -j N     N processes at once; login i is done by process i modulo N; all begin together
 *   -f       a fresh process (exec) for each login; its time is from before the fork to after its end
 *   -w N     the first N logins of each process are warm-up: done, not printed, not counted in "wall"
 *   -q       no messages in the output
 *   -r HOST  PAM_RHOST      -t TTY  PAM_TTY      -u USER  PAM_RUSER
 *   -a -s    also pam_acct_mgmt, pam_setcred
 *   -k       go on where pam_authenticate failed (for -a and -s)
 *   -n       no count of descriptors: looking for them takes half as long as a fresh login
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_ANSWERS 16

static struct {
  const char *confdir, *service, *rhost, *tty, *ruser;
  int jobs, fresh, warmup, quiet, acct, setcred, keep, uncounted;
} opt = {.jobs = 1};

struct login {
  char *user;
  char *answers[MAX_ANSWERS];
  int count, next;
  char log[4096];
  size_t used;
};

static void die(const char *what) {
  fprintf(stderr, "pam_driver: %s: %s\n", what, strerror(errno));
  exit(99);
}

static long long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static const char *name_of(int code) {
  static const char *const names[] = {
      "PAM_SUCCESS",     "PAM_OPEN_ERR",     "PAM_SYMBOL_ERR",       "PAM_SERVICE_ERR",
      "PAM_SYSTEM_ERR",  "PAM_BUF_ERR",      "PAM_PERM_DENIED",      "PAM_AUTH_ERR",
      "PAM_CRED_INSUFFICIENT", "PAM_AUTHINFO_UNAVAIL", "PAM_USER_UNKNOWN", "PAM_MAXTRIES",
      "PAM_NEW_AUTHTOK_REQD",  "PAM_ACCT_EXPIRED", "PAM_SESSION_ERR", "PAM_CRED_UNAVAIL",
      "PAM_CRED_EXPIRED", "PAM_CRED_ERR",    "PAM_NO_MODULE_DATA",   "PAM_CONV_ERR",
      "PAM_AUTHTOK_ERR", "PAM_AUTHTOK_RECOVERY_ERR", "PAM_AUTHTOK_LOCK_BUSY", "PAM_AUTHTOK_DISABLE_AGING",
      "PAM_TRY_AGAIN",   "PAM_IGNORE",       "PAM_ABORT",            "PAM_AUTHTOK_EXPIRED",
      "PAM_MODULE_UNKNOWN", "PAM_BAD_ITEM",  "PAM_CONV_AGAIN",       "PAM_INCOMPLETE"};
  return code >= 0 && code < (int)(sizeof names / sizeof *names) ? names[code] : "PAM_?";
}

static int descriptors(void) {
  int open = 0;
  for (int fd = 0; fd < 1024; fd++) open += fcntl(fd, F_GETFD) != -1;
  return open;
}

static void note(struct login *l, char style, const char *text) {
  if (opt.quiet || l->used + 8 > sizeof l->log) return;
  if (l->used) l->log[l->used++] = '|';
  l->log[l->used++] = style;
  l->log[l->used++] = ':';
  for (; *text && l->used + 8 < sizeof l->log; text++)
    if ((unsigned char)*text < ' ' || *text == '|' || *text == '\\')
      l->used += (size_t)sprintf(l->log + l->used, "\\x%02x", (unsigned char)*text);
    else
      l->log[l->used++] = *text;
  l->log[l->used] = 0;
}

static int converse(int n, const struct pam_message **msg, struct pam_response **out, void *data) {
  struct login *l = data;
  struct pam_response *resp = calloc((size_t)n, sizeof *resp);
  if (!resp) return PAM_BUF_ERR;
  for (int i = 0; i < n; i++) {
    int style = msg[i]->msg_style;
    int asks = style == PAM_PROMPT_ECHO_OFF || style == PAM_PROMPT_ECHO_ON;
    note(l, style == PAM_PROMPT_ECHO_OFF ? 'P' : style == PAM_PROMPT_ECHO_ON ? 'E' : style == PAM_TEXT_INFO ? 'I' : 'X',
         msg[i]->msg);
    if (!asks) continue;
    if (l->next >= l->count) {
      for (int k = 0; k < i; k++) free(resp[k].resp);
      free(resp);
      return PAM_CONV_ERR;
    }
    resp[i].resp = strdup(l->answers[l->next++]);
  }
  *out = resp;
  return PAM_SUCCESS;
}

/* One login; `result` takes e.g. "PAM_SUCCESS/PAM_SUCCESS". Returns nanoseconds. */
static long long one(struct login *l, char *result, size_t size) {
  struct pam_conv conv = {converse, l};
  pam_handle_t *pam = NULL;
  long long begun = now();
  int rc = pam_start_confdir(opt.service, l->user, &conv, opt.confdir, &pam);
  if (rc != PAM_SUCCESS) {
    snprintf(result, size, "start:%s", name_of(rc));
    return now() - begun;
  }
  if (opt.rhost) pam_set_item(pam, PAM_RHOST, opt.rhost);
  if (opt.tty) pam_set_item(pam, PAM_TTY, opt.tty);
  if (opt.ruser) pam_set_item(pam, PAM_RUSER, opt.ruser);
  rc = pam_authenticate(pam, 0);
  size_t used = (size_t)snprintf(result, size, "%s", name_of(rc));
  if (opt.acct && (rc == PAM_SUCCESS || opt.keep)) {
    int acct = pam_acct_mgmt(pam, 0);
    used += (size_t)snprintf(result + used, size - used, "/%s", name_of(acct));
  }
  if (opt.setcred && (rc == PAM_SUCCESS || opt.keep)) {
    int cred = pam_setcred(pam, PAM_ESTABLISH_CRED);
    snprintf(result + used, size - used, "/%s", name_of(cred));
  }
  pam_end(pam, rc);
  return now() - begun;
}

static void parse(char *line, struct login *l) {
  memset(l, 0, sizeof *l);
  l->user = strsep(&line, "\t");
  while (line && l->count < MAX_ANSWERS) l->answers[l->count++] = strsep(&line, "\t");
}

/* The same login in a process of its own: exec'd, so that nothing of libpam is warm. */
static long long fresh(const char *line, char **argv, int argc, char *report, size_t size) {
  int in[2], back[2];
  if (pipe2(in, O_CLOEXEC) || pipe2(back, O_CLOEXEC)) die("pipe");
  size_t length = strlen(line);
  if (write(in[1], line, length) != (ssize_t)length || write(in[1], "\n", 1) != 1) die("write");
  close(in[1]);
  long long begun = now();
  pid_t pid = vfork();
  if (pid < 0) die("vfork");
  if (pid == 0) {
    dup2(in[0], 0);
    dup2(back[1], 1);
    execv("/proc/self/exe", argv);
    _exit(98);
  }
  close(in[0]);
  close(back[1]);
  size_t used = 0;
  ssize_t n;
  while (used + 1 < size && (n = read(back[0], report + used, size - 1 - used)) > 0) used += (size_t)n;
  report[used] = 0;
  close(back[0]);
  int status;
  if (waitpid(pid, &status, 0) != pid) die("waitpid");
  long long took = now() - begun;
  if (!WIFEXITED(status) || WEXITSTATUS(status)) snprintf(report, size, "process:%d", status);
  (void)argc;
  return took;
}

/* The worker `me`: its share of the lines, into `out`. */
static void work(int me, char **lines, int count, FILE *out, char **child_argv, int child_argc, long long *wall_begin) {
  int done = 0;
  for (int i = me; i < count; i += opt.jobs, done++) {
    static struct login l;
    static char result[8192];
    long long took;
    const char *messages = "";
    if (done == opt.warmup) *wall_begin = now();
    if (opt.fresh) {
      took = fresh(lines[i], child_argv, child_argc, result, sizeof result);
      /* the child printed "0 TAB result TAB ns TAB messages NL wall..." */
      char *p = strchr(result, '\t');
      if (p) {
        memmove(result, p + 1, strlen(p));
        if ((p = strchr(result, '\n'))) *p = 0;
        if ((p = strchr(result, '\t'))) {
          *p = 0;
          if ((p = strchr(p + 1, '\t'))) messages = p + 1;
        }
      }
    } else {
      parse(lines[i], &l);
      took = one(&l, result, sizeof result);
      messages = l.log;
    }
    if (done >= opt.warmup) fprintf(out, "%d\t%s\t%lld\t%s\n", i, result, took, opt.quiet ? "" : messages);
  }
  fflush(out);
}

int main(int argc, char **argv) {
  int c;
  while ((c = getopt(argc, argv, "c:j:fw:qr:t:u:askn")) != -1) switch (c) {
      case 'c': opt.confdir = optarg; break;
      case 'j': opt.jobs = atoi(optarg); break;
      case 'f': opt.fresh = 1; break;
      case 'w': opt.warmup = atoi(optarg); break;
      case 'q': opt.quiet = 1; break;
      case 'r': opt.rhost = optarg; break;
      case 't': opt.tty = optarg; break;
      case 'u': opt.ruser = optarg; break;
      case 'a': opt.acct = 1; break;
      case 's': opt.setcred = 1; break;
      case 'k': opt.keep = 1; break;
      case 'n': opt.uncounted = 1; break;
      default: return 97;
    }
  if (optind + 1 != argc || opt.jobs < 1) {
    fprintf(stderr, "usage: pam_driver [options] SERVICE < logins\n");
    return 97;
  }
  opt.service = argv[optind];

  /* A child of -f gets the same options without -f, -j and -w; all that it does is measured. */
  char *child[24];
  int n = 0;
  child[n++] = "pam_driver";
#define PASS(flag, value) \
  if (value) child[n++] = flag, child[n++] = (char *)(value)
  PASS("-c", opt.confdir);
  PASS("-r", opt.rhost);
  PASS("-t", opt.tty);
  PASS("-u", opt.ruser);
  if (opt.quiet) child[n++] = "-q";
  if (opt.acct) child[n++] = "-a";
  if (opt.setcred) child[n++] = "-s";
  if (opt.keep) child[n++] = "-k";
  child[n++] = "-n";
  child[n++] = (char *)opt.service;
  child[n] = NULL;

  char **lines = NULL, *line = NULL;
  size_t room = 0, cap = 0;
  ssize_t length;
  int count = 0;
  while ((length = getline(&line, &cap, stdin)) > 0) {
    if (line[length - 1] == '\n') line[--length] = 0;
    if ((size_t)count == room) lines = realloc(lines, (room = room ? room * 2 : 64) * sizeof *lines);
    if (!lines) die("realloc");
    lines[count++] = strdup(line);
  }
  free(line);

  if (opt.jobs == 1) {
    static char buffer[1 << 16];
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    int before = opt.uncounted ? 0 : descriptors();
    long long begun = now();
    work(0, lines, count, stdout, child, n, &begun);
    long long took = now() - begun;
    if (!opt.uncounted) printf("descriptors\t%d\t%d\n", before, descriptors());
    printf("wall\t%lld\n", took);
    return fflush(stdout) ? 99 : 0;
  }

  /* Workers write to files of their own; a barrier after their warm-up makes them begin together. */
  int gate[2], ready[2];
  if (pipe(gate) || pipe(ready)) die("pipe");
  FILE **outs = calloc((size_t)opt.jobs, sizeof *outs);
  pid_t *pids = calloc((size_t)opt.jobs, sizeof *pids);
  long long *begins = mmap(NULL, 4096 * 16, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (!outs || !pids || begins == MAP_FAILED || opt.jobs > 8192) die("memory");
  for (int me = 0; me < opt.jobs; me++) {
    if (!(outs[me] = tmpfile())) die("tmpfile");
    if ((pids[me] = fork()) < 0) die("fork");
    if (pids[me]) continue;
    close(gate[1]);
    char go;
    if (write(ready[1], "r", 1) != 1 || read(gate[0], &go, 1) < 0) die("gate");
    begins[me] = now();
    work(me, lines, count, outs[me], child, n, &begins[me]);
    _exit(0);
  }
  for (int me = 0; me < opt.jobs; me++) {
    char r;
    if (read(ready[0], &r, 1) != 1) die("ready");
  }
  close(gate[1]); /* end of file lets all go */
  int bad = 0;
  for (int me = 0; me < opt.jobs; me++) {
    int status;
    if (waitpid(pids[me], &status, 0) != pids[me]) die("waitpid");
    if (status) {
      printf("process:%d\tprocess:%d\t0\t\n", me, status);
      bad = 1;
    }
  }
  /* Where workers warm up, the clock runs from when the last of them is warm. */
  long long end = now(), first = begins[0];
  for (int me = 1; me < opt.jobs; me++)
    if (opt.warmup ? begins[me] > first : begins[me] < first) first = begins[me];
  for (int me = 0; me < opt.jobs; me++) {
    char buffer[65536];
    size_t got;
    rewind(outs[me]);
    while ((got = fread(buffer, 1, sizeof buffer, outs[me])) > 0) fwrite(buffer, 1, got, stdout);
  }
  printf("wall\t%lld\n", end - first);
  return bad ? 96 : fflush(stdout) ? 99 : 0;
}
