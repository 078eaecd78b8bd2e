#pragma once

#include <linux/seccomp.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "adapters/fd.hpp"

namespace left4me::sandbox {

/// Settings that the answers depend on.
struct Rules {
    int processes = -1;  ///< a /proc in which the game's processes have the pids that the supervisor sees
    std::set<std::uint16_t> loopback;  ///< TCP ports of this host that the game may connect to
    bool takes_sockets = true;         ///< false if the host forbids it; see let_connect()
    std::optional<std::uint8_t> dscp;  ///< of the datagrams that the game sends
};

/// Answers the calls that the filter hands over. Most arguments are in the game's memory, where the game can
/// change them at any time. Checking them and then letting the call continue would be unsafe
/// (seccomp_unotify(2)), and is done only where there is no other way. The arguments are copied once and
/// checked, and the supervisor itself creates the socket or connects.
class Answers {
  public:
    /// `listener`: of the filter; closed if there is none.
    Answers(const Rules& rules, Fd listener) : rules_(rules), listener_(std::move(listener)) {}

    void watch(std::vector<pollfd>& watched) const;
    /// Milliseconds for poll(2).
    int timeout() const;
    /// `watched` as filled by watch(), after others' entries, and with the results of poll(2).
    void serve(const std::vector<pollfd>& watched);

  private:
    using Clock = std::chrono::steady_clock;
    /// A connect(2) of a blocking socket that is in progress; the kernel's deadline for it belongs to the
    /// socket.
    struct Pending {
        std::uint64_t id;
        Fd socket;
        Clock::time_point deadline;
    };

    void answer_next();
    void answer(const seccomp_notif& asked);
    void answer_multiplexed(const seccomp_notif& asked);
    void make_socket(const seccomp_notif& asked, int family, int type, int protocol);
    void make_pair(const seccomp_notif& asked, int family, int type, int protocol, std::uint64_t where);
    void connect(const seccomp_notif& asked, int socket, std::uint64_t address, std::uint64_t length);
    void let_connect(const seccomp_notif& asked, const sockaddr_storage& to) const;
    void finish(Pending& pending);

    bool still_asks(std::uint64_t id) const;
    /// `error` is an errno; 0 is success.
    void respond(std::uint64_t id, int error) const;

    const Rules& rules_;
    Fd listener_;
    std::vector<Pending> pending_;
};

}  // namespace left4me::sandbox
