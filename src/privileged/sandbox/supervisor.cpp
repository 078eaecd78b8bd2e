#include "privileged/sandbox/supervisor.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <vector>

#include "privileged/sandbox/filter.hpp"
#include "privileged/sandbox/init.hpp"

namespace left4me::sandbox {

using overlay::fail;
using overlay::Failure;
using overlay::system_failure;

namespace {

struct Ends {
    Fd one, other;
};

/// Keeps message boundaries, and reports when the other end is closed.
Result<Ends> make_pair() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
        return system_failure("a pair of sockets");
    return Ends{Fd(ends[0]), Fd(ends[1])};
}

/// Runs in the game's process, which shares its descriptors with the supervisor until the supervisor has the
/// listener. Nothing is sent over a socket, because descriptors in flight are counted for all games together
/// (unix(7), ETOOMANYREFS).
[[noreturn]] void become_game(const Fd& talk, const sigset_t& mask, Sockets sockets,
                              const std::function<int()>& game) {
    auto listener = forbid_calls(sockets);
    if (listener && ::unshare(CLONE_FILES) != 0) listener = system_failure("descriptors of its own");
    const int number = listener ? listener->get() : -1;
    if (!listener) {
        fmt::print(stderr, "left4me-sandbox: {}\n", listener.error().message);
        std::fflush(stderr);
    }
    const bool told = ::write(talk.get(), &number, sizeof(number)) == sizeof(number);
    if (!listener || !told) ::_exit(static_cast<int>(Failure::System));
    (void)::sigprocmask(SIG_SETMASK, &mask, nullptr);
    ::_exit(game());
}

/// Nothing if the game's process ended before; it has reported the reason.
Fd take_listener(const Fd& talk) {
    // The child reports immediately, unless it was killed. Both processes have this end open.
    const timeval timeout{30, 0};
    (void)::setsockopt(talk.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    int number = -1;
    const bool told = ::read(talk.get(), &number, sizeof(number)) == sizeof(number);
    return told ? Fd(number) : Fd();
}

[[noreturn]] void end_as(int status) {
    if (WIFEXITED(status)) ::_exit(WEXITSTATUS(status));
    const int number = WTERMSIG(status);
    const rlimit none{0, 0};
    (void)::setrlimit(RLIMIT_CORE, &none);
    (void)std::signal(number, SIG_DFL);
    sigset_t only{};
    sigemptyset(&only);
    sigaddset(&only, number);
    (void)::kill(::getpid(), number);
    (void)::sigprocmask(SIG_UNBLOCK, &only, nullptr);
    ::_exit(128 + number);
}

class Supervisor {
  public:
    Supervisor(Fd orders, Fd signals, Answers answers, pid_t init, pid_t game)
        : orders_(std::move(orders)),
          signals_(std::move(signals)),
          answers_(std::move(answers)),
          init_(init),
          game_(game) {}

    [[noreturn]] void run() {
        reap();
        for (;;) {
            std::vector<pollfd> watched{{signals_.get(), POLLIN, 0}};
            answers_.watch(watched);
            if (::poll(watched.data(), watched.size(), answers_.timeout()) < 0) continue;
            answers_.serve(watched);
            if (watched[0].revents != 0) take_signals();
        }
    }

  private:
    void order(unsigned char what) const { (void)::send(orders_.get(), &what, 1, MSG_NOSIGNAL); }

    void take_signals() {
        signalfd_siginfo told{};
        while (::read(signals_.get(), &told, sizeof(told)) == sizeof(told)) {
            if (told.ssi_signo != SIGCHLD) order(static_cast<unsigned char>(told.ssi_signo));
        }
        reap();
    }

    void reap() {
        int status = 0;
        pid_t ended = 0;
        while ((ended = ::waitpid(-1, &status, WNOHANG)) > 0) {
            if (ended == game_) {
                status_ = status;
                order(game_has_ended);
            }
            // Only now has everything in the namespace exited.
            if (ended == init_) end_as(status_);
        }
    }

    Fd orders_, signals_;
    Answers answers_;
    pid_t init_, game_;
    int status_ = SIGKILL;  ///< for a game that was killed with its namespace
};

}  // namespace

overlay::Error supervise(const Rules& rules, const std::function<int()>& game) {
    auto orders = make_pair();
    if (!orders) return orders.error();
    auto talk = make_pair();
    if (!talk) return talk.error();
    sigset_t all{};
    sigset_t before{};
    sigfillset(&all);
    // Before the first child, so that no signal is lost.
    (void)::sigprocmask(SIG_SETMASK, &all, &before);
    // The first child becomes process 1 of the namespace.
    const pid_t init = ::fork();
    if (init < 0) return system_failure("a process").error();
    if (init == 0) {
        orders->one.reset();
        talk->one.reset();
        talk->other.reset();
        be_init(orders->other.get());
    }
    orders->other.reset();
    // clone(2) like fork(2), but sharing descriptors.
    const auto process = static_cast<pid_t>(::syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0));
    if (process < 0) return system_failure("a process").error();
    const Sockets sockets = rules.dscp ? Sockets::Supervisor : Sockets::Kernel;
    if (process == 0) become_game(talk->other, before, sockets, game);
    Fd listener = take_listener(talk->one);
    Answers answers(rules, std::move(listener));
    constexpr unsigned long unused = 0;
    // Processes of the same user must not inspect it, and it leaves no core file when it exits like a crashed
    // game.
    (void)::prctl(PR_SET_DUMPABLE, 0, unused, unused, unused);
    Fd signals(::signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!signals) return system_failure("signals").error();
    Supervisor(std::move(orders->one), std::move(signals), std::move(answers), init, process).run();
}

}  // namespace left4me::sandbox
