// What a taken-over build, steamcmd or probe tries, in the sandbox of its own unit: unit_attacks FILE WORD….
// For each attempt it writes one line to FILE, "NAME RESULT": the errno, 0 for success, or "signal N". Names
// that end in 32 used the entry point of 32-bit programs. Words:
//   probe            first becomes what left4me-probe is once it reads what games send
//   KIND=PATH        read, list, open (for writing), make (a file), connect (a socket)
//   process=NAME:PID everything that reads, traces or signals another process
//   send=ADDRESS:PORT, tcp=ADDRESS:PORT
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "adapters/confinement/confinement.hpp"
#include "calls.hpp"
#include "probe/probe.hpp"

namespace {

std::FILE* said = nullptr;
/// It cannot make processes any more: each attempt is made in this one.
bool is_confined = false;

long result_of(long returned) { return returned < 0 ? -errno : 0; }

long native(long number, const Words& words) {
    return result_of(::syscall(number, words[0], words[1], words[2], words[3], words[4], words[5]));
}

void say(const std::string& name, const std::string& result) {
    std::fprintf(said, "%s %s\n", name.c_str(), result.c_str());
    std::fflush(said);
}

/// `what` returns 0 or -errno. A filter may kill whoever tries.
void attempt(const std::string& name, const std::function<long()>& what) {
    if (is_confined) return say(name, std::to_string(-what()));
    const pid_t child = ::fork();
    if (child < 0) return say(name, "no-process");
    if (child == 0) ::_exit(static_cast<int>(-what()));
    int status = 0;
    (void)::waitpid(child, &status, 0);
    say(name, WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                                  : std::to_string(WEXITSTATUS(status)));
}

struct Call {
    const char* name;
    long number;
    Words words;
};

void attempt_all(const std::string& prefix, std::span<const Call> calls, bool are_narrow = false) {
    for (const Call& call : calls)
        attempt(prefix + call.name, [&] {
            return are_narrow ? std::min(0L, narrow(call.number, call.words))
                              : native(call.number, call.words);
        });
}

// -- files -----------------------------------------------------------------------------------------------

long read_file(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (file < 0) return -errno;
    char byte = 0;
    const long got = ::read(file, &byte, 1) < 0 ? -errno : 0;
    (void)::close(file);
    return got;
}

long list(const std::string& path) {
    const int directory = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return -errno;
    std::array<char, 4096> entries{};
    const long got = ::syscall(SYS_getdents64, directory, entries.data(), entries.size());
    const long error = errno;
    (void)::close(directory);
    if (got < 0) return -error;
    // "." and ".." alone take 48 bytes.
    return got > 48 ? 0 : -ENODATA;
}

long open_file(const std::string& path, int flags) {
    const int file = ::open(path.c_str(), flags | O_NONBLOCK | O_CLOEXEC, 0600);
    if (file < 0) return -errno;
    (void)::close(file);
    if ((flags & O_CREAT) != 0) (void)::unlink(path.c_str());
    return 0;
}

long connect_to_path(const std::string& path, bool by_narrow_call) {
    auto* name = low<sockaddr_un>();
    name->sun_family = AF_UNIX;
    (void)std::snprintf(name->sun_path, sizeof(name->sun_path), "%s", path.c_str());
    long last = -ENOENT;
    for (const int type : {SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM}) {
        const long made = by_narrow_call ? narrow(359, {AF_UNIX, type, 0}) : ::socket(AF_UNIX, type, 0);
        if (made < 0) return by_narrow_call ? made : -errno;
        last = by_narrow_call ? narrow(362, {made, number_of(name), sizeof(*name)})
                              : native(SYS_connect, {made, number_of(name), sizeof(*name)});
        (void)::close(static_cast<int>(made));
        if (last == 0) return 0;
    }
    return last;
}

// -- other processes -------------------------------------------------------------------------------------

/// A descriptor of the process, for calls that take one.
int handle(pid_t pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }

void processes(const std::string& name, pid_t pid) {
    const std::string place = "/proc/" + std::to_string(pid);
    const auto try_it = [&name](const char* how, const std::function<long()>& what) {
        attempt(name + ' ' + how, what);
    };
    for (const char* file : {"mem", "environ", "maps", "auxv", "stack", "cmdline"})
        try_it(file, [&] { return read_file(place + '/' + file); });
    try_it("descriptors", [&] { return list(place + "/fd"); });
    try_it("root", [&] { return list(place + "/root/etc"); });
    try_it("directory", [&] { return list(place + "/cwd"); });
    std::array<char, 64> bytes{};
    const iovec ours{bytes.data(), bytes.size()};
    const iovec theirs{reinterpret_cast<void*>(0x400000), 64};
    const long first = number_of(&ours);
    const long second = number_of(&theirs);
    // As sigqueue(3) fills it: SI_QUEUE.
    std::array<int, 32> signal{0, 0, -1};
    const std::array calls = {
        Call{"ptrace-attach", SYS_ptrace, {PTRACE_ATTACH, pid}},
        Call{"ptrace-seize", SYS_ptrace, {PTRACE_SEIZE, pid}},
        Call{"process_vm_readv", SYS_process_vm_readv, {pid, first, 1, second, 1}},
        Call{"process_vm_writev", SYS_process_vm_writev, {pid, first, 1, second, 1}},
        Call{"kcmp", SYS_kcmp, {pid, ::getpid(), 0, 0, 0}},
        Call{"kill", SYS_kill, {pid, 0}},
        Call{"tkill", SYS_tkill, {pid, 0}},
        Call{"tgkill", SYS_tgkill, {pid, pid, 0}},
        Call{"rt_sigqueueinfo", SYS_rt_sigqueueinfo, {pid, 0, number_of(signal.data())}},
        Call{"setpriority", SYS_setpriority, {PRIO_PROCESS, pid, 10}},
        Call{"scheduler", SYS_sched_setscheduler, {pid, SCHED_FIFO, number_of(bytes.data())}},
    };
    attempt_all(name + ' ', calls);
    try_it("pidfd_getfd", [&] { return native(SYS_pidfd_getfd, {handle(pid), 0, 0}); });
    try_it("pidfd_send_signal", [&] { return native(SYS_pidfd_send_signal, {handle(pid), 0, 0, 0}); });
    try_it("process_madvise",
           [&] { return native(SYS_process_madvise, {handle(pid), second, 1, MADV_COLD, 0}); });
    const std::array narrow_calls = {
        Call{"ptrace-attach32", 26, {PTRACE_ATTACH, pid}},
        Call{"process_vm_readv32", 347, {pid}},
        Call{"process_vm_writev32", 348, {pid}},
        Call{"kcmp32", 349, {pid, ::getpid()}},
        Call{"kill32", 37, {pid, 0}},
        Call{"tkill32", 238, {pid, 0}},
        Call{"tgkill32", 270, {pid, pid, 0}},
        Call{"rt_sigqueueinfo32", 178, {pid, 0, number_of(low<char>())}},
        Call{"rt_tgsigqueueinfo32", 335, {pid, pid, 0, number_of(low<char>())}},
    };
    if (!is_confined) attempt_all(name + ' ', narrow_calls, true);
}

// -- calls -----------------------------------------------------------------------------------------------

void calls() {
    std::array<char, 256> zeros{};
    const long scratch = number_of(zeros.data());
    const long path = number_of("/tmp");
    const long text = number_of("x");
    const std::array<std::uint32_t, 2> version{0x20080522U, 0};
    const std::array<std::uint32_t, 6> all{~0U, ~0U, 0, ~0U, ~0U, 0};
    const std::array all_calls = {
        Call{"mount", SYS_mount, {text, path, number_of("tmpfs"), 0, 0}},
        Call{"umount2", SYS_umount2, {path, 2}},
        Call{"pivot_root", SYS_pivot_root, {path, path}},
        Call{"chroot", SYS_chroot, {path}},
        Call{"move_mount", SYS_move_mount, {-1, scratch, -1, scratch, 4}},
        Call{"open_tree", SYS_open_tree, {AT_FDCWD, number_of("/"), 1}},
        Call{"fsopen", SYS_fsopen, {number_of("tmpfs"), 0}},
        Call{"mount_setattr", SYS_mount_setattr, {AT_FDCWD, path, 0, scratch, 32}},
        Call{"setns", SYS_setns, {0, 0}},
        Call{"unshare-user", SYS_unshare, {CLONE_NEWUSER}},
        Call{"unshare-mount", SYS_unshare, {CLONE_NEWNS}},
        Call{"unshare-net", SYS_unshare, {CLONE_NEWNET}},
        Call{"unshare-pid", SYS_unshare, {CLONE_NEWPID}},
        Call{"clone-user", SYS_clone, {CLONE_NEWUSER | SIGCHLD}},
        Call{"clone3", SYS_clone3, {scratch, 88}},
        Call{"setuid", SYS_setuid, {0}},
        Call{"setresuid", SYS_setresuid, {0, 0, 0}},
        Call{"setgid", SYS_setgid, {0}},
        Call{"setgroups", SYS_setgroups, {1, scratch}},
        Call{"capset", SYS_capset, {number_of(version.data()), number_of(all.data())}},
        Call{"init_module", SYS_init_module, {scratch, 1, text}},
        Call{"finit_module", SYS_finit_module, {0, text, 0}},
        Call{"delete_module", SYS_delete_module, {text, 0}},
        Call{"kexec_load", SYS_kexec_load, {0, 0, scratch, 0}},
        Call{"reboot", SYS_reboot, {0xfee1dead, 672274793, 0, 0}},
        Call{"swapon", SYS_swapon, {path, 0}},
        Call{"acct", SYS_acct, {path}},
        Call{"quotactl", SYS_quotactl, {0}},
        Call{"syslog", SYS_syslog, {3, scratch, 256}},
        Call{"settimeofday", SYS_settimeofday, {scratch, 0}},
        Call{"clock_settime", SYS_clock_settime, {0, scratch}},
        Call{"adjtimex", SYS_adjtimex, {scratch}},
        Call{"sethostname", SYS_sethostname, {text, 1}},
        Call{"iopl", SYS_iopl, {3}},
        Call{"ioperm", SYS_ioperm, {0x60, 1, 1}},
        Call{"personality", SYS_personality, {0x0400000}},
        Call{"bpf", SYS_bpf, {0, scratch, 48}},
        Call{"perf_event_open", SYS_perf_event_open, {scratch, 0, -1, -1, 0}},
        Call{"io_uring_setup", SYS_io_uring_setup, {8, scratch}},
        Call{"io_uring_enter", SYS_io_uring_enter, {0, 1}},
        Call{"io_uring_register", SYS_io_uring_register, {0}},
        Call{"userfaultfd", SYS_userfaultfd, {1}},
        Call{"keyctl", SYS_keyctl, {0, -3, 1}},
        Call{"add_key", SYS_add_key, {number_of("user"), text, scratch, 1, -3}},
        Call{"request_key", SYS_request_key, {number_of("user"), text, 0, 0}},
        Call{"ptrace-me", SYS_ptrace, {PTRACE_TRACEME}},
        Call{"open_by_handle_at", SYS_open_by_handle_at, {AT_FDCWD, scratch, 0}},
        Call{"fanotify_init", SYS_fanotify_init, {0, 0}},
        Call{"mknod-device", SYS_mknodat, {AT_FDCWD, number_of("/tmp/device"), 0x2180, 0x101}},
        Call{"realtime", SYS_sched_setscheduler, {0, SCHED_FIFO, number_of(version.data() + 1)}},
        Call{"nice-0", SYS_setpriority, {PRIO_PROCESS, 0, 0}},
        Call{"chown-root", SYS_fchownat, {AT_FDCWD, path, 0, 0, 0}},
        Call{"executable-memory",
             SYS_mmap,
             {0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0}},
        Call{"execve", SYS_execve, {number_of("/bin/true"), scratch, scratch}},
    };
    attempt_all("", all_calls);
    if (is_confined) return;
    const std::array narrow_calls = {
        Call{"getpid32", 20, {}},
        Call{"mount32", 21, {number_of(low<char>())}},
        Call{"unshare32", 310, {CLONE_NEWUSER}},
        Call{"bpf32", 357, {0, number_of(low<char>()), 48}},
        Call{"io_uring_setup32", 425, {8, number_of(low<char>())}},
        Call{"setuid32", 213, {0}},
        Call{"init_module32", 128, {number_of(low<char>()), 1, number_of(low<char>())}},
        Call{"userfaultfd32", 374, {1}},
        Call{"keyctl32", 288, {0, -3, 1}},
    };
    attempt_all("", narrow_calls, true);
}

void sockets() {
    struct Kind {
        const char* name;
        int family, type, protocol;
    };
    constexpr std::array kinds = {
        Kind{"tcp", AF_INET, SOCK_STREAM, 0},    Kind{"udp", AF_INET, SOCK_DGRAM, 0},
        Kind{"tcp6", AF_INET6, SOCK_STREAM, 0},  Kind{"udp6", AF_INET6, SOCK_DGRAM, 0},
        Kind{"unix", AF_UNIX, SOCK_STREAM, 0},   Kind{"netlink", AF_NETLINK, SOCK_RAW, 0},
        Kind{"raw", AF_INET, SOCK_RAW, 255},     Kind{"raw6", AF_INET6, SOCK_RAW, 255},
        Kind{"packet", AF_PACKET, SOCK_RAW, 0},  Kind{"alg", AF_ALG, SOCK_SEQPACKET, 0},
        Kind{"vsock", AF_VSOCK, SOCK_STREAM, 0}, Kind{"bluetooth", AF_BLUETOOTH, SOCK_RAW, 0},
        Kind{"can", AF_CAN, SOCK_RAW, 1},        Kind{"tipc", AF_TIPC, SOCK_RDM, 0},
        Kind{"key", AF_KEY, SOCK_RAW, 2},        Kind{"xdp", 44, SOCK_RAW, 0},
    };
    for (const Kind& kind : kinds)
        attempt(std::string("socket ") + kind.name,
                [&] { return native(SYS_socket, {kind.family, kind.type, kind.protocol}); });
    std::array<int, 2> ends{};
    attempt("socket pair",
            [&] { return native(SYS_socketpair, {AF_UNIX, SOCK_STREAM, 0, number_of(ends.data())}); });
    if (is_confined) return;
    attempt("socket unix32", [] { return std::min(0L, narrow(359, {AF_UNIX, SOCK_STREAM, 0})); });
    attempt("socket packet32", [] { return std::min(0L, narrow(359, {AF_PACKET, SOCK_RAW, 0})); });
}

// -- the network -----------------------------------------------------------------------------------------

sockaddr_in address_of(const std::string& text) {
    const std::size_t colon = text.rfind(':');
    sockaddr_in made{};
    made.sin_family = AF_INET;
    made.sin_port = htons(static_cast<std::uint16_t>(std::atoi(text.c_str() + colon + 1)));
    (void)::inet_pton(AF_INET, text.substr(0, colon).c_str(), &made.sin_addr);
    return made;
}

/// The first socket for datagrams that this process has; a new one, if it has none.
int datagrams() {
    constexpr int highest = 64;
    for (int one = 3; one < highest; ++one) {
        int type = 0;
        socklen_t size = sizeof(type);
        if (::getsockopt(one, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_DGRAM) return one;
    }
    return ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

long send_to(int socket, const std::string& where) {
    const sockaddr_in to = address_of(where);
    return native(SYS_sendto, {socket, number_of("x"), 1, MSG_DONTWAIT, number_of(&to), sizeof(to)});
}

long connect_to(const std::string& where) {
    const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (made < 0) return -errno;
    const sockaddr_in to = address_of(where);
    return native(SYS_connect, {made, number_of(&to), sizeof(to)});
}

/// What left4me-probe does before it reads anything that a game has sent.
std::unique_ptr<left4me::probe::Probe> become_the_probe() {
    const passwd* const user = ::getpwnam("left4me-server");
    if (user == nullptr) return nullptr;
    auto made = left4me::probe::Probe::open({.paths = {}, .user = user->pw_uid});
    return made ? *std::move(made) : nullptr;
}

void attempt_word(const std::string& word, int socket) {
    const std::string kind = word.substr(0, word.find('='));
    const std::string value = word.substr(std::min(word.size(), kind.size() + 1));
    if (kind == "read") attempt(word, [&] { return read_file(value); });
    if (kind == "list") attempt(word, [&] { return list(value); });
    if (kind == "open") attempt(word, [&] { return open_file(value, O_WRONLY); });
    if (kind == "make") attempt(word, [&] { return open_file(value, O_WRONLY | O_CREAT | O_EXCL); });
    if (kind == "connect") attempt(word, [&] { return connect_to_path(value, false); });
    if (kind == "connect" && !is_confined)
        attempt(word + " 32", [&] { return connect_to_path(value, true); });
    if (kind == "send") attempt(word, [&] { return send_to(socket, value); });
    if (kind == "tcp") attempt(word, [&] { return connect_to(value); });
    if (kind == "process") {
        const std::size_t colon = value.find(':');
        processes(value.substr(0, colon), std::atoi(value.c_str() + colon + 1));
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.size() < 2) return 2;
    const std::string partial = words[0] + ".partial";
    said = std::fopen(partial.c_str(), "we");
    if (said == nullptr) return 1;
    std::unique_ptr<left4me::probe::Probe> probe;
    const bool is_probe = words[1] == "probe";
    if (is_probe) {
        probe = become_the_probe();
        if (!probe) return 1;
    }
    const int socket = datagrams();
    if (is_probe) {
        if (!left4me::confine(left4me::Confinement::BoundSockets)) return 1;
        is_confined = true;
    }
    for (const std::string& word : words) attempt_word(word, socket);
    calls();
    sockets();
    say("end", "0");
    return std::rename(partial.c_str(), words[0].c_str()) == 0 ? 0 : 1;
}
