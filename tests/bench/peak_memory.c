/* Runs a program and prints the most memory that it had in use: "peak KiB <n>", the last line on
 * stderr. Ends with the program's status.
 *
 *   peak_memory <program>        with its environment, stdin and stdout
 *
 * Why a program of its own: until it calls exec, a child has its parent's memory, and ru_maxrss
 * counts that. Static and without a heap, this parent is smaller than whatever it measures.
 * getrusage(2); kernel: exec_mmap().
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc != 2) {
    fputs("usage: peak_memory <program>\n", stderr);
    return 2;
  }
  const pid_t child = fork();
  if (child == 0) {
    execv(argv[1], argv + 1);
    _exit(127);
  }
  int status = 0;
  struct rusage usage;
  if (child < 0 || wait4(child, &status, 0, &usage) != child) {
    fprintf(stderr, "peak_memory: %s\n", strerror(errno));
    return 1;
  }
  fprintf(stderr, "peak KiB %ld\n", usage.ru_maxrss);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
