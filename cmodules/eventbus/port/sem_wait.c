// sem_wait.c - MicroPython's unix port, whose linker puts this in place of sem_wait (micropython.mk).
//
// That port's collector asks each other thread by a signal to mark what its stack holds, and waits by sem_wait that it has; it does
// not look whether the wait ended for another signal, as POSIX lets it. Ours, that wakes the VM (port_host_task.h), comes often: then
// a stack was left out, and what it alone held was collected under it.

#if defined(__unix__)

#include <errno.h>
#include <semaphore.h>

int __real_sem_wait(sem_t *semaphore);
int __wrap_sem_wait(sem_t *semaphore);

int __wrap_sem_wait(sem_t *semaphore) {
    int failed;
    do {
        failed = __real_sem_wait(semaphore);
    } while (failed && errno == EINTR);
    return failed;
}

#endif
