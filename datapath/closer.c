#include "config.h"
#include "datapath/closer.h"
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>
#include "base/mem.h"

enum { MAX_THREADS = 32, STACK = 65536 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t idle = PTHREAD_COND_INITIALIZER;
static int *fds;
static unsigned n_fds, a_fds, n_threads;

static void *close_all(void *arg UNUSED)
{
    pthread_mutex_lock(&lock);
    while (n_fds) {
        int fd = fds[--n_fds];
        pthread_mutex_unlock(&lock);
        close(fd);
        pthread_mutex_lock(&lock);
    }
    if (!--n_threads) {
        free(fds);
        fds = NULL;
        a_fds = 0;
        pthread_cond_broadcast(&idle);
    }
    pthread_mutex_unlock(&lock);
    return NULL;
}

/* False: there are no more threads to be had. */
static bool start_thread(void)
{
    pthread_attr_t attr;
    pthread_t thread;
    sigset_t all, old;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, MAX((size_t)STACK, (size_t)PTHREAD_STACK_MIN));
    sigfillset(&all); /* signals are main's */
    pthread_sigmask(SIG_SETMASK, &all, &old);
    bool ok = !pthread_create(&thread, &attr, close_all, NULL);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    return ok;
}

void close_later(int fd)
{
    pthread_mutex_lock(&lock);
    if (n_fds == a_fds) {
        a_fds = MAX(16, 2 * a_fds);
        fds = xrealloc(fds, a_fds * sizeof *fds);
    }
    fds[n_fds++] = fd;
    bool alone = false;
    if (n_threads < MAX_THREADS) {
        n_threads++;
        if (!start_thread()) {
            n_threads--;
            alone = !n_threads;
        }
    }
    if (alone)
        n_fds--;
    pthread_mutex_unlock(&lock);
    if (alone)
        close(fd);
}

void closer_wait(void)
{
    pthread_mutex_lock(&lock);
    while (n_threads)
        pthread_cond_wait(&idle, &lock);
    pthread_mutex_unlock(&lock);
}
