/**
 * The names of the system calls that a thread can stand in for long, by their numbers.
 *
 * Numbers never change within an architecture. From 424 on all architectures have the same.
 *
 * @module
 */

/** Name, number on x64, number on arm64 (the kernel's asm-generic/unistd.h); `-`: it has none. */
const table = `
  read 0 63, write 1 64, readv 19 65, writev 20 66, pread64 17 67, pwrite64 18 68, preadv 295 69,
  pwritev 296 70, preadv2 327 286, pwritev2 328 287, sendfile 40 71, splice 275 76, tee 276 77,
  vmsplice 278 75, copy_file_range 326 285, open 2 -, openat 257 56, openat2 437 437, close 3 57,
  stat 4 -, lstat 6 -, fstat 5 80, newfstatat 262 79, statx 332 291, access 21 -,
  faccessat 269 48, faccessat2 439 439, getdents64 217 61, readlink 89 -, readlinkat 267 78,
  mkdir 83 -, mkdirat 258 34, rmdir 84 -, unlink 87 -, unlinkat 263 35, rename 82 -,
  renameat 264 38, renameat2 316 276, truncate 76 45, ftruncate 77 46, fallocate 285 47,
  fsync 74 82, fdatasync 75 83, msync 26 227, sync 162 81, syncfs 306 267,
  sync_file_range 277 84, ioctl 16 29, fcntl 72 25, flock 73 32,
  poll 7 -, ppoll 271 73, select 23 -, pselect6 270 72, epoll_wait 232 -, epoll_pwait 281 22,
  epoll_pwait2 441 441, io_getevents 208 4, io_uring_enter 426 426,
  connect 42 203, accept 43 202, accept4 288 242, sendto 44 206, recvfrom 45 207,
  sendmsg 46 211, recvmsg 47 212, sendmmsg 307 269, recvmmsg 299 243,
  nanosleep 35 101, clock_nanosleep 230 115, pause 34 -, rt_sigsuspend 130 133,
  rt_sigtimedwait 128 137, wait4 61 260, waitid 247 95, futex 202 98, futex_waitv 449 449,
  futex_wait 455 455, semop 65 193, semtimedop 220 192, msgsnd 69 189, msgrcv 70 188,
  mq_timedsend 242 182, mq_timedreceive 243 183, getrandom 318 278, mmap 9 222, munmap 11 215,
  madvise 28 233, exit_group 231 94`

const entries = table.split(',').map((entry) => entry.trim().split(' '))
const byArchitecture = new Map(
  ['x64', 'arm64'].map((name, index) => [
    name,
    new Map(entries.map(([call = '', ...numbers]) => [Number(numbers[index]), call])),
  ]),
)

/**
 * What a system call is called.
 *
 * @param architecture - as in `process.arch`
 * @returns `system call 123` for one that is not known
 */
export function systemCallName(number: number, architecture: string = process.arch): string {
  return byArchitecture.get(architecture)?.get(number) ?? `system call ${number}`
}
