/* Opens files in one of many ways: what `run --trace` has to see. Nothing here is checked by us
   but by the test that runs it; a failure of the system ends it with 9. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static int must(int answer)
{
    if (answer < 0) {
        perror("opener");
        _exit(9);
    }
    return answer;
}

static void make(int directory, const char *name)
{
    int fd = must(openat(directory, name, O_CREAT | O_WRONLY | O_TRUNC, 0644));
    must(write(fd, "made\n", 5));
    close(fd);
}

static void *make_as_thread(void *name)
{
    make(AT_FDCWD, name);
    return NULL;
}

static void *open_for_ever(void *unused)
{
    for (;;)
        close(must(open("data/rows.csv", O_RDONLY)));
    return unused;
}

static void ring(int signal) { (void)signal; }

static void directories(void)
{
    int data = must(open("data", O_RDONLY | O_DIRECTORY));
    close(must(openat(data, "rows.csv", O_RDONLY)));
    struct open_how how = {.flags = O_RDONLY};
    close(must(syscall(SYS_openat2, data, "./more.csv", &how, sizeof how)));
    must(fchdir(data));
    make(AT_FDCWD, "../made-below");
    must(chdir(".."));
    must(truncate("cut", 1));
    must(link("cut", "cut-too"));
    must(symlink("made-below", "sign"));
    int unnamed = must(open(".", O_TMPFILE | O_RDWR, 0644));
    char self[64];
    snprintf(self, sizeof self, "/proc/self/fd/%d", unnamed);
    must(linkat(AT_FDCWD, self, AT_FDCWD, "named-late", AT_SYMLINK_FOLLOW));
    must(mkdir("half", 0755));
    make(AT_FDCWD, "half/part");
    must(rename("half", "whole"));
}

static void children(void)
{
    if (vfork() == 0) {
        execl("/bin/sh", "sh", "-c", "cat data/rows.csv > by-vfork", NULL);
        _exit(9);
    }
    if (fork() == 0) {
        setsid();
        if (fork() == 0) {
            make(AT_FDCWD, "by-grandchild");
            _exit(0);
        }
        _exit(0);
    }
    pthread_t threads[4];
    static char names[4][16] = {"thread-0", "thread-1", "thread-2", "thread-3"};
    for (int at = 0; at < 4; at++)
        pthread_create(&threads[at], NULL, make_as_thread, names[at]);
    for (int at = 0; at < 4; at++)
        pthread_join(threads[at], NULL);
    while (wait(NULL) > 0) {
    }
    int script = must(open("data/script.sh", O_RDONLY));
    char *words[] = {"script", NULL}, *none[] = {NULL};
    must(syscall(SYS_execveat, script, "", words, none, AT_EMPTY_PATH));
}

/* Processes that are killed while they open, and signals while we do. */
static void interrupted(void)
{
    for (int at = 0; at < 200; at++) {
        pid_t child = must(fork());
        if (child == 0) {
            pthread_t other;
            pthread_create(&other, NULL, open_for_ever, NULL);
            open_for_ever(NULL);
        }
        usleep(100 * (at % 10));
        must(kill(child, SIGKILL));
        must(waitpid(child, NULL, 0));
    }
    struct sigaction action = {.sa_handler = ring, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    struct itimerval often = {{0, 500}, {0, 500}}, never = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &often, NULL);
    for (int at = 0; at < 10000; at++)
        close(must(open("data/rows.csv", O_RDONLY)));
    setitimer(ITIMER_REAL, &never, NULL);
}

static void long_names(void)
{
    char path[4096];
    memset(path, '/', sizeof path);
    for (int at = 1; at + 1 < 4096; at += 2)
        path[at - 1] = '.';
    strcpy(path + 4096 - sizeof "/data/rows.csv", "/data/rows.csv");
    close(must(open(path, O_RDONLY)));
    char name[251];
    memset(name, 'd', 250);
    name[250] = 0;
    for (int at = 0; at < 20; at++) {
        must(mkdir(name, 0755));
        must(chdir(name));
    }
    make(AT_FDCWD, "far");
}

/* Runs the rest of the words where a system call is refused, as in a container. */
static void without(const char *call, char **words)
{
    unsigned number = strcmp(call, "seccomp") ? SYS_process_vm_readv : SYS_seccomp;
    struct sock_filter steps[] = {
        {BPF_LD | BPF_W | BPF_ABS, 0, 0, 0},
        {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, number},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EPERM},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
    };
    struct sock_fprog program = {4, steps};
    must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
    must(execvp(words[0], words));
}

int main(int count, char **words)
{
    const char *way = count > 1 ? words[1] : "";
    if (!strcmp(way, "directories"))
        directories();
    else if (!strcmp(way, "children"))
        children();
    else if (!strcmp(way, "interrupted"))
        interrupted();
    else if (!strcmp(way, "long"))
        long_names();
    else if (!strcmp(way, "ring"))
        return syscall(SYS_io_uring_setup, 8, NULL) < 0 && errno == ENOSYS ? 0 : 9;
    else if (!strcmp(way, "without") && count > 3)
        without(words[2], words + 3);
    else
        return 9;
    return 0;
}
