/*
 * A program that logs in through libpam, for the tests of pam_mfa.so.
 *
 * Does what its options say and writes what it saw, one line each, to a file. Refuses to judge: the tests
 * do. It takes the place of syslog(3), so that the module's lines end up in the report too.
 *
 * driver --report FILE --confdir DIR --service NAME [--option VALUE]...
 *
 * --user, --rhost, --ruser, --tty, --environment NAME=VALUE, --flags NUMBER    given to libpam
 * --answer TEXT            typed at the next prompt; after the last one, asking fails
 * --conversation HOW       null | fails | no-array | no-text | no-info
 * --linger MILLISECONDS    how long a person takes at each prompt
 * --become NAME            what PAM_USER is set to at each prompt
 * --phases NAMES           authenticate,account,setcred,session,password
 * --cycles COUNT           whole logins one after the other
 * --close DIGITS           standard descriptors that are closed
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 64 };

static int report = -1;
static pam_handle_t *handle;
static const char *answers[MOST];
static int answer_count, answers_given;
static const char *conversation, *become, *phases;
static long linger_ms;

/* Writes a line; what could be taken for another line is escaped. */
static void tell(const char *what, const char *text)
{
    char line[8192];
    size_t length = (size_t)snprintf(line, sizeof line, "%s ", what);
    for (; *text != '\0' && length < sizeof line - 6; text++) {
        if (*text == '\n' || *text == '\\')
            length += (size_t)sprintf(line + length, "\\x%02x", (unsigned char)*text);
        else
            line[length++] = *text;
    }
    line[length++] = '\n';
    if (write(report, line, length) != (ssize_t)length)
        abort();
}

static void tell_number(const char *what, long number)
{
    char text[32];
    snprintf(text, sizeof text, "%ld", number);
    tell(what, text);
}

void syslog(int priority, const char *format, ...)
{
    char text[4096], what[32];
    va_list rest;
    va_start(rest, format);
    vsnprintf(text, sizeof text, format, rest);
    va_end(rest);
    snprintf(what, sizeof what, "log %d", priority);
    tell(what, text);
}

static long open_descriptors(void)
{
    long count = 0;
    DIR *directory = opendir("/proc/self/fd");
    if (directory == NULL)
        abort();
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

static long mappings_of_module(void)
{
    char line[4096];
    long count = 0;
    FILE *maps = fopen("/proc/self/maps", "re");
    if (maps == NULL)
        abort();
    while (fgets(line, sizeof line, maps) != NULL)
        count += strstr(line, "pam_mfa.so") != NULL;
    fclose(maps);
    return count;
}

static void linger(void)
{
    struct timespec left = {linger_ms / 1000, linger_ms % 1000 * 1000000};
    while (nanosleep(&left, &left) != 0)
        continue;
}

static int reply(const struct pam_message *message, char **text)
{
    static const char *const styles[] = {"?", "hidden", "shown", "error", "info"};
    int style = message->msg_style, low;
    tell(style >= 1 && style <= 4 ? styles[style] : "?", message->msg);
    for (low = 0; low <= 2; low++)
        if (fcntl(low, F_GETFD) != -1)
            tell_number("low", low);
    if (style == PAM_TEXT_INFO || style == PAM_ERROR_MSG)
        return strcmp(conversation, "no-info") == 0 ? PAM_CONV_ERR : PAM_SUCCESS;
    linger();
    if (become != NULL && pam_set_item(handle, PAM_USER, become) != PAM_SUCCESS)
        abort();
    if (answers_given == answer_count)
        return PAM_CONV_ERR;
    *text = strdup(answers[answers_given++]);
    return *text == NULL ? PAM_BUF_ERR : PAM_SUCCESS;
}

static int converse(int count, const struct pam_message **messages, struct pam_response **responses, void *data)
{
    (void)data;
    if (strcmp(conversation, "fails") == 0)
        return PAM_CONV_ERR;
    *responses = NULL;
    if (strcmp(conversation, "no-array") == 0)
        return PAM_SUCCESS;
    struct pam_response *made = calloc((size_t)count, sizeof *made);
    if (made == NULL)
        return PAM_BUF_ERR;
    for (int i = 0; i < count && strcmp(conversation, "no-text") != 0; i++) {
        int code = reply(messages[i], &made[i].resp);
        if (code != PAM_SUCCESS) {
            free(made);
            return code;
        }
    }
    *responses = made;
    return PAM_SUCCESS;
}

static const char *option(int argc, char **argv, const char *name, const char *fallback)
{
    for (int i = 1; i + 1 < argc; i += 2)
        if (strcmp(argv[i], name) == 0)
            return argv[i + 1];
    return fallback;
}

static void set(int argc, char **argv, const char *name, int item)
{
    const char *value = option(argc, argv, name, NULL);
    if (value != NULL && pam_set_item(handle, item, value) != PAM_SUCCESS)
        abort();
}

static void run_phases(int flags)
{
    if (strstr(phases, "authenticate") != NULL)
        tell_number("authenticate", pam_authenticate(handle, flags));
    if (strstr(phases, "account") != NULL)
        tell_number("account", pam_acct_mgmt(handle, flags));
    if (strstr(phases, "setcred") != NULL)
        tell_number("setcred", pam_setcred(handle, flags | PAM_ESTABLISH_CRED));
    if (strstr(phases, "session") != NULL) {
        tell_number("open", pam_open_session(handle, flags));
        tell_number("close", pam_close_session(handle, flags));
    }
    if (strstr(phases, "password") != NULL)
        tell_number("password", pam_chauthtok(handle, flags));
}

static void cycle(int argc, char **argv)
{
    struct pam_conv conv = {strcmp(conversation, "null") == 0 ? NULL : converse, NULL};
    const char *environment = option(argc, argv, "--environment", NULL);
    int code = pam_start_confdir(option(argc, argv, "--service", "driver"), option(argc, argv, "--user", NULL),
                                 &conv, option(argc, argv, "--confdir", NULL), &handle);
    if (code != PAM_SUCCESS) {
        tell_number("start", code);
        return;
    }
    set(argc, argv, "--rhost", PAM_RHOST);
    set(argc, argv, "--ruser", PAM_RUSER);
    set(argc, argv, "--tty", PAM_TTY);
    if (environment != NULL && pam_putenv(handle, environment) != PAM_SUCCESS)
        abort();
    answers_given = 0;
    run_phases((int)strtol(option(argc, argv, "--flags", "0"), NULL, 0));
    pam_end(handle, PAM_SUCCESS);
}

int main(int argc, char **argv)
{
    const char *closed = option(argc, argv, "--close", "");
    long cycles = atol(option(argc, argv, "--cycles", "0"));
    int low = open(option(argc, argv, "--report", "/dev/null"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    report = low == -1 ? -1 : fcntl(low, F_DUPFD_CLOEXEC, 100);
    if (report == -1)
        return 2;
    close(low);
    for (int i = 1; i + 1 < argc; i += 2)
        if (strcmp(argv[i], "--answer") == 0 && answer_count < MOST)
            answers[answer_count++] = argv[i + 1];
    conversation = option(argc, argv, "--conversation", "answers");
    phases = option(argc, argv, "--phases", "authenticate");
    become = option(argc, argv, "--become", NULL);
    linger_ms = atol(option(argc, argv, "--linger", "0"));
    signal(SIGPIPE, SIG_DFL);
    for (; *closed != '\0'; closed++)
        close(*closed - '0');

    cycle(argc, argv);
    if (cycles > 1) {
        tell_number("descriptors", open_descriptors());
        tell_number("mappings", mappings_of_module());
        for (long i = 1; i < cycles; i++)
            cycle(argc, argv);
        tell_number("descriptors", open_descriptors());
        tell_number("mappings", mappings_of_module());
    }
    tell("done", "");
    return 0;
}
