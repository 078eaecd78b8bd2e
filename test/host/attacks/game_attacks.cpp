// Attacks of a taken-over game on other games and the host: game_attacks GROUP [ARGUMENT…], from inside a
// sandbox. Every attempt prints one line, "NAME RESULT": the errno, 0 for success, or "signal N". Names that
// end in 32 used the entry point of 32-bit programs.
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "calls.hpp"

namespace {

long native(long number, const Words& words) {
    const long result = ::syscall(number, words[0], words[1], words[2], words[3], words[4], words[5]);
    return result < 0 ? -errno : result;
}

/// In a separate process: a successful attempt may change it, and a filter may kill it.
void attempt(const std::string& name, const std::function<long()>& what) {
    std::fflush(stdout);
    const pid_t child = ::fork();
    if (child == 0) {
        const long result = what();
        ::_exit(result < 0 ? static_cast<int>(-result) : 0);
    }
    int status = 0;
    (void)::waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) std::printf("%s signal %d\n", name.c_str(), WTERMSIG(status));
    if (WIFEXITED(status)) std::printf("%s %d\n", name.c_str(), WEXITSTATUS(status));
}

struct Call {
    const char* name;
    long native, narrow;
    Words words;
};

void attempt_all(std::span<const Call> calls) {
    for (const Call& call : calls) {
        if (call.native >= 0) attempt(call.name, [&] { return native(call.native, call.words); });
        if (call.narrow >= 0)
            attempt(std::string(call.name) + "32", [&] { return narrow(call.narrow, call.words); });
    }
}

/// Against processes of others, by their pid on the host: NUMBER…
void others(const std::vector<std::string>& words) {
    struct Limit {
        std::uint64_t soft, hard;
    };
    auto* limit = low<Limit>();
    *limit = {0, 0};
    auto* set = low<std::uint64_t>();
    *set = 1;
    auto* parameter = low<int>();
    *parameter = 0;
    for (const std::string& word : words) {
        const long pid = std::atol(word.c_str());
        const std::array calls = {
            Call{"prlimit64", SYS_prlimit64, 340, {pid, RLIMIT_NOFILE, number_of(limit)}},
            Call{"sched_setscheduler", SYS_sched_setscheduler, 156, {pid, SCHED_IDLE, number_of(parameter)}},
            Call{"sched_setparam", SYS_sched_setparam, 154, {pid, number_of(parameter)}},
            Call{"sched_setaffinity", SYS_sched_setaffinity, 241, {pid, 8, number_of(set)}},
            Call{"setpriority", SYS_setpriority, 97, {PRIO_PROCESS, pid, 19}},
            Call{"ioprio_set", SYS_ioprio_set, 289, {1, pid, 3 << 13}},
            Call{"kill", SYS_kill, 37, {pid, SIGCONT}},
            Call{"tkill", SYS_tkill, 238, {pid, SIGCONT}},
            Call{"tgkill", SYS_tgkill, 270, {pid, pid, SIGCONT}},
            Call{"pidfd_open", SYS_pidfd_open, 434, {pid, 0}},
            Call{"getpgid", SYS_getpgid, 132, {pid}},
            Call{"getsid", SYS_getsid, 147, {pid}},
        };
        attempt_all(calls);
    }
}

/// Calls that no game needs.
void calls(const std::vector<std::string>& /*words*/) {
    auto* parameter = low<int>();
    *parameter = 1;
    auto* name = low<std::array<char, 16>>();
    std::memcpy(name->data(), "made", 5);
    const long path = number_of(name);
    const long scratch = number_of(low<char>());
    const std::array all = {
        Call{"io_uring_setup", SYS_io_uring_setup, 425, {1, scratch}},
        Call{"io_uring_enter", SYS_io_uring_enter, 426, {-1}},
        Call{"io_uring_register", SYS_io_uring_register, 427, {-1}},
        Call{"userfaultfd", SYS_userfaultfd, 374, {1}},
        Call{"add_key", SYS_add_key, 286, {path, path, path, 4, -2}},
        Call{"request_key", SYS_request_key, 287, {path, path, 0, -2}},
        Call{"keyctl", SYS_keyctl, 288, {0, -3, 0}},
        Call{"ptrace", SYS_ptrace, 26, {0}},
        Call{"process_vm_readv", SYS_process_vm_readv, 347, {1}},
        Call{"process_vm_writev", SYS_process_vm_writev, 348, {1}},
        Call{"pidfd_getfd", SYS_pidfd_getfd, 438, {-1, 0, 0}},
        Call{"seccomp", SYS_seccomp, 354, {1, 1UL << 3, scratch}},
        Call{"bpf", SYS_bpf, 357, {0, scratch, 8}},
        Call{"perf_event_open", SYS_perf_event_open, 336, {scratch}},
        Call{"setns", SYS_setns, 346, {-1, 0}},
        Call{"unshare", SYS_unshare, 310, {CLONE_NEWUSER}},
        Call{"unshare-net", SYS_unshare, 310, {CLONE_NEWNET}},
        Call{"clone-pid", SYS_clone, 120, {CLONE_NEWPID | SIGCHLD}},
        Call{"personality", SYS_personality, 136, {0x0400000}},
        Call{"realtime", SYS_sched_setscheduler, 156, {0, SCHED_FIFO, number_of(parameter)}},
        Call{"sched_setattr", SYS_sched_setattr, 351, {0, scratch, 0}},
        Call{"open-setuid", SYS_open, 5, {path, O_CREAT | O_WRONLY, 04755}},
        Call{"openat-setgid", SYS_openat, 295, {AT_FDCWD, path, O_CREAT | O_WRONLY, 02755}},
        Call{"creat-setuid", SYS_creat, 8, {path, 04755}},
        Call{"chmod-setuid", SYS_chmod, 15, {path, 04755}},
        Call{"fchmodat-setuid", SYS_fchmodat, 306, {AT_FDCWD, path, 04755}},
        Call{"fchmodat2-setuid", 452, 452, {AT_FDCWD, path, 04755, 0}},
        Call{"mkdir-setgid", SYS_mkdir, 39, {path, 02755}},
        Call{"mknod-setuid", SYS_mknod, 14, {path, 0100000 | 04755, 0}},
        Call{"openat2", SYS_openat2, 437, {AT_FDCWD, path, scratch, 24}},
        Call{"type-into-terminal", SYS_ioctl, 54, {0, 0x5412, scratch}},
        Call{"mount", SYS_mount, 21, {path, path, path, 0, 0}},
        Call{"modify_ldt", SYS_modify_ldt, 123, {0, scratch, 16}},
        Call{"quotactl", SYS_quotactl, 131, {0}},
        Call{"open_by_handle_at", SYS_open_by_handle_at, 342, {AT_FDCWD, scratch, 0}},
        Call{"newest", 999, 999, {0}},
    };
    attempt_all(all);
    attempt("x32", [] { return native(0x40000000L | SYS_getpid, {}); });
}

/// Families and protocols of sockets that a game may not have, by every call that creates sockets.
void sockets(const std::vector<std::string>& /*words*/) {
    struct Kind {
        const char* name;
        int family, type, protocol;
    };
    constexpr std::array kinds = {
        Kind{"packet", AF_PACKET, SOCK_RAW, 0},
        Kind{"alg", AF_ALG, SOCK_SEQPACKET, 0},
        Kind{"vsock", AF_VSOCK, SOCK_STREAM, 0},
        Kind{"bluetooth", AF_BLUETOOTH, SOCK_RAW, 0},
        Kind{"can", AF_CAN, SOCK_RAW, 1},
        Kind{"tipc", AF_TIPC, SOCK_RDM, 0},
        Kind{"rds", AF_RDS, SOCK_SEQPACKET, 0},
        Kind{"key", AF_KEY, SOCK_RAW, 2},
        Kind{"xdp", 44, SOCK_RAW, 0},
        Kind{"smc", 43, SOCK_STREAM, 0},
        Kind{"nfc", AF_NFC, SOCK_SEQPACKET, 0},
        Kind{"kcm", 41, SOCK_DGRAM, 0},
        Kind{"rxrpc", AF_RXRPC, SOCK_DGRAM, 2},
        Kind{"qipcrtr", 42, SOCK_DGRAM, 0},
        Kind{"sctp", AF_INET, SOCK_STREAM, 132},
        Kind{"dccp", AF_INET, SOCK_DCCP, 33},
        Kind{"raw", AF_INET, SOCK_RAW, 255},
        Kind{"mptcp6", AF_INET6, SOCK_STREAM, 262},
        Kind{"udplite", AF_INET, SOCK_DGRAM, 136},
        // A game needs these.
        Kind{"tcp", AF_INET, SOCK_STREAM, 0},
        Kind{"udp6", AF_INET6, SOCK_DGRAM, IPPROTO_UDP},
        Kind{"unix", AF_UNIX, SOCK_STREAM, 0},
        Kind{"netlink", AF_NETLINK, SOCK_RAW, 0},
    };
    auto* words = low<std::array<std::int32_t, 4>>();
    auto* ends = low<std::array<std::int32_t, 2>>();
    for (const Kind& kind : kinds) {
        const std::string name = kind.name;
        attempt(name + " socket",
                [&] { return native(SYS_socket, {kind.family, kind.type, kind.protocol}); });
        attempt(name + " socket32", [&] { return narrow(359, {kind.family, kind.type, kind.protocol}); });
        *words = {kind.family, kind.type, kind.protocol, static_cast<std::int32_t>(number_of(ends))};
        attempt(name + " socketcall32", [&] { return narrow(102, {1, number_of(words)}); });
        attempt(name + " socketpair", [&] {
            return native(SYS_socketpair, {kind.family, kind.type, kind.protocol, number_of(ends)});
        });
        attempt(name + " pair-by-socketcall32", [&] { return narrow(102, {8, number_of(words)}); });
    }
    // A pair works: what is written can be read.
    attempt("a-pair-carries", [&] {
        *words = {AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, static_cast<std::int32_t>(number_of(ends))};
        if (const long failed = narrow(102, {8, number_of(words)}); failed < 0) return failed;
        char byte = 'x';
        return ::write((*ends)[0], &byte, 1) == 1 && ::read((*ends)[1], &byte, 1) == 1 &&
                       (::fcntl((*ends)[0], F_GETFD) & FD_CLOEXEC) != 0
                   ? 0L
                   : -1L;
    });
    // The family changes during the check: every created socket must be of an allowed family.
    attempt("race", [&] {
        *words = {AF_UNIX, SOCK_DGRAM, 0, 0};
        std::atomic<bool> over = false;
        std::thread changer([&] {
            volatile std::int32_t* family = words->data();
            while (!over) *family = *family == AF_UNIX ? AF_PACKET : AF_UNIX;
        });
        long wrong = 0;
        for (int i = 0; i < 3000 && wrong == 0; ++i) {
            const long made = narrow(102, {1, number_of(words)});
            if (made < 0) continue;
            int domain = 0;
            socklen_t size = sizeof(domain);
            (void)::getsockopt(static_cast<int>(made), SOL_SOCKET, SO_DOMAIN, &domain, &size);
            if (domain != AF_UNIX) wrong = -99;
            (void)::close(static_cast<int>(made));
        }
        over = true;
        changer.join();
        return wrong;
    });
}

struct Address {
    sockaddr_storage bytes{};
    socklen_t size = 0;
};

Address address_of(const std::string& host, int port) {
    Address made;
    sockaddr_in four{};
    sockaddr_in6 six{};
    four.sin_family = AF_INET;
    six.sin6_family = AF_INET6;
    four.sin_port = six.sin6_port = htons(static_cast<std::uint16_t>(port));
    if (::inet_pton(AF_INET, host.c_str(), &four.sin_addr) == 1) {
        std::memcpy(&made.bytes, &four, made.size = sizeof(four));
    } else if (::inet_pton(AF_INET6, host.c_str(), &six.sin6_addr) == 1) {
        std::memcpy(&made.bytes, &six, made.size = sizeof(six));
    }
    return made;
}

long connected(int made, const Address& to, bool by_socketcall) {
    auto* address = low<sockaddr_storage>();
    *address = to.bytes;
    auto* words = low<std::array<std::int32_t, 3>>();
    *words = {made, static_cast<std::int32_t>(number_of(address)), static_cast<std::int32_t>(to.size)};
    return by_socketcall ? narrow(102, {3, number_of(words)})
                         : native(SYS_connect, {made, number_of(address), to.size});
}

/// TCP to this host: PORT ADDRESS…
void loopback(const std::vector<std::string>& words) {
    const int port = std::atoi(words.at(0).c_str());
    for (std::size_t i = 1; i < words.size(); ++i) {
        const Address to = address_of(words[i], port);
        const int family = to.bytes.ss_family;
        attempt(words[i] + " connect",
                [&] { return connected(::socket(family, SOCK_STREAM, 0), to, false); });
        attempt(words[i] + " connect32",
                [&] { return connected(::socket(family, SOCK_STREAM, 0), to, true); });
        attempt(words[i] + " nonblocking",
                [&] { return connected(::socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0), to, false); });
        attempt(words[i] + " fastopen", [&] {
            const int made = ::socket(family, SOCK_STREAM, 0);
            const char byte = 'x';
            const auto* generic = reinterpret_cast<const sockaddr*>(&to.bytes);
            return ::sendto(made, &byte, 1, MSG_FASTOPEN, generic, to.size) < 0 ? -long{errno} : 0L;
        });
        attempt(words[i] + " fastopen-by-socketcall32", [&] {
            auto* address = low<sockaddr_storage>();
            *address = to.bytes;
            const auto where = static_cast<std::int32_t>(number_of(address));
            auto* send = low<std::array<std::int32_t, 6>>();
            *send = {::socket(family, SOCK_STREAM, 0),  where, 1, MSG_FASTOPEN, where,
                     static_cast<std::int32_t>(to.size)};
            return narrow(102, {11, number_of(send)});
        });
        attempt(words[i] + " from-a-thread", [&] {
            long result = 0;
            std::thread([&] { result = connected(::socket(family, SOCK_STREAM, 0), to, false); }).join();
            return result;
        });
        attempt(words[i] + " udp", [&] {
            const int made = ::socket(family, SOCK_DGRAM, 0);
            return connected(made, to, false);
        });
    }
}

/// How the sockets of the network are marked, by each call that makes them, with a datagram of each UDP one
/// to the PORT of this host: TOS/TCLASS/FLAGS
void marks(const std::vector<std::string>& words) {
    const auto port = static_cast<std::uint16_t>(std::atoi(words.at(0).c_str()));
    struct Kind {
        const char* name;
        int family, type;
        const char* to;
    };
    constexpr int flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
    for (const Kind& kind :
         {Kind{"udp", AF_INET, SOCK_DGRAM, "127.0.0.1"},
          Kind{"udp-flags", AF_INET, SOCK_DGRAM | flags, "127.0.0.1"},
          Kind{"udp6", AF_INET6, SOCK_DGRAM, "::ffff:127.0.0.1"}, Kind{"tcp", AF_INET, SOCK_STREAM, ""},
          Kind{"tcp6-flags", AF_INET6, SOCK_STREAM | flags, ""}}) {
        auto* arguments = low<std::array<std::int32_t, 3>>();
        *arguments = {kind.family, kind.type, 0};
        struct Made {
            const char* by;
            long socket;
        };
        for (const Made& one : {Made{"socket", native(SYS_socket, {kind.family, kind.type, 0})},
                                Made{"socket32", narrow(359, {kind.family, kind.type, 0})},
                                Made{"socketcall32", narrow(102, {1, number_of(arguments)})}}) {
            const auto made = static_cast<int>(one.socket);
            int tos = -1;
            int tclass = -1;
            socklen_t size = sizeof(int);
            (void)::getsockopt(made, IPPROTO_IP, IP_TOS, &tos, &size);
            (void)::getsockopt(made, IPPROTO_IPV6, IPV6_TCLASS, &tclass, &size);
            const bool waits = (::fcntl(made, F_GETFL) & O_NONBLOCK) == 0;
            const bool stays = (::fcntl(made, F_GETFD) & FD_CLOEXEC) == 0;
            std::printf("%s %s %d/%d/%s%s\n", kind.name, one.by, tos, tclass, waits ? "" : "n",
                        stays ? "" : "c");
            if (kind.to[0] == '\0') continue;
            const Address to = address_of(kind.to, port);
            (void)::sendto(made, "x", 1, 0, reinterpret_cast<const sockaddr*>(&to.bytes), to.size);
        }
    }
}

/// The address changes during the check: PORT CLOSED-PORT-THAT-IS-ALLOWED
void race(const std::vector<std::string>& words) {
    const Address wanted = address_of("127.0.0.1", std::atoi(words.at(0).c_str()));
    const Address allowed = address_of("127.0.0.1", std::atoi(words.at(1).c_str()));
    attempt("race", [&] {
        auto* address = low<sockaddr_in>();
        std::memcpy(address, &allowed.bytes, sizeof(*address));
        std::uint16_t one = 0;
        std::uint16_t other = 0;
        std::memcpy(&one, reinterpret_cast<const char*>(&allowed.bytes) + 2, 2);
        std::memcpy(&other, reinterpret_cast<const char*>(&wanted.bytes) + 2, 2);
        std::atomic<bool> over = false;
        std::thread changer([&] {
            volatile std::uint16_t* port = &address->sin_port;
            while (!over) *port = *port == one ? other : one;
        });
        long wrong = 0;
        for (int i = 0; i < 3000 && wrong == 0; ++i) {
            const int made = ::socket(AF_INET, SOCK_STREAM, 0);
            if (native(SYS_connect, {made, number_of(address), sizeof(*address)}) == 0) wrong = -99;
            (void)::close(made);
        }
        over = true;
        changer.join();
        return wrong;
    });
}

long count(const std::function<bool()>& takes) {
    long taken = 0;
    while (taken < 200000 && takes()) ++taken;
    return taken;
}

/// Per-user counters of the kernel: takes all that it gets, prints how much that was, and keeps it.
void shares(const std::vector<std::string>& /*words*/) {
    rlimit files{};
    (void)::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    (void)::setrlimit(RLIMIT_NOFILE, &files);
    std::printf("inotify %ld\n", count([] { return ::inotify_init1(0) >= 0; }));
    std::printf("timers %ld\n", count([] {
                    timer_t made{};
                    return ::timer_create(CLOCK_MONOTONIC, nullptr, &made) == 0;
                }));
    const rlimit more{RLIM_INFINITY, RLIM_INFINITY};
    std::printf("more-signals %d\n", ::setrlimit(RLIMIT_SIGPENDING, &more) == 0 ? 0 : errno);
    std::printf("more-cores %d\n", ::setrlimit(RLIMIT_CORE, &more) == 0 ? 0 : errno);
    attempt("queue", [] { return native(SYS_mq_open, {number_of("q"), O_CREAT | O_RDWR, 0600, 0}); });
}

/// Memory that is written and then executed, as SourceMod does with plugins.
void executable(const std::vector<std::string>& /*words*/) {
    attempt("executable", [] {
        auto* code = static_cast<unsigned char*>(
            ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        if (code == MAP_FAILED) return -long{errno};
        constexpr std::array<unsigned char, 6> returns_seven = {0xb8, 7, 0, 0, 0, 0xc3};
        std::memcpy(code, returns_seven.data(), returns_seven.size());
        const auto function = reinterpret_cast<int (*)()>(code);
        return function() == 7 ? 0L : -1L;
    });
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.empty()) return 2;
    const std::vector<std::string> rest(words.begin() + 1, words.end());
    if (words[0] == "others") others(rest);
    if (words[0] == "calls") calls(rest);
    if (words[0] == "sockets") sockets(rest);
    if (words[0] == "marks") marks(rest);
    if (words[0] == "loopback") loopback(rest);
    if (words[0] == "race") race(rest);
    if (words[0] == "shares") shares(rest);
    if (words[0] == "executable") executable(rest);
    std::fflush(stdout);
    if (words[0] == "shares") (void)::sleep(600);
    return 0;
}
