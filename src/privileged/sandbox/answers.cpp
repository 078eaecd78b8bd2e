#include "privileged/sandbox/answers.hpp"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/net.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <utility>

#include "privileged/sandbox/calls.hpp"
#include "privileged/sandbox/connecting.hpp"

namespace left4me::sandbox {

namespace {

constexpr std::size_t max_pending = 64;

template <typename T>
bool read_from(pid_t process, std::uint64_t address, T& into, std::size_t size = sizeof(T)) {
    const iovec own{&into, size};
    // NOLINTNEXTLINE(performance-no-int-to-ptr): an address in another process
    const iovec theirs{reinterpret_cast<void*>(address), size};
    return ::process_vm_readv(process, &own, 1, &theirs, 1, 0) == static_cast<ssize_t>(size);
}

template <typename T>
bool write_to(pid_t process, std::uint64_t address, T& what) {
    const iovec own{&what, sizeof(T)};
    // NOLINTNEXTLINE(performance-no-int-to-ptr): an address in another process
    const iovec theirs{reinterpret_cast<void*>(address), sizeof(T)};
    return ::process_vm_writev(process, &own, 1, &theirs, 1, 0) == static_cast<ssize_t>(sizeof(T));
}

seccomp_notif_addfd giving(std::uint64_t id, const Fd& socket, int type) {
    seccomp_notif_addfd gift{};
    gift.id = id;
    gift.srcfd = static_cast<std::uint32_t>(socket.get());
    gift.newfd_flags = (type & SOCK_CLOEXEC) != 0 ? O_CLOEXEC : 0;
    return gift;
}

/// Of a type that socket(2) has accepted.
bool is_datagram(int type) { return (type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK)) == SOCK_DGRAM; }

/// An error changes nothing for the game: a socket whose packets have no mark is better than none.
void mark(const Fd& socket, int family, std::uint8_t dscp) {
    const int field = dscp << 2U;
    // An IPv6 socket sends to mapped addresses by IPv4.
    if (family == AF_INET || family == AF_INET6)
        (void)::setsockopt(socket.get(), IPPROTO_IP, IP_TOS, &field, sizeof(field));
    if (family == AF_INET6)
        (void)::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_TCLASS, &field, sizeof(field));
}

}  // namespace

bool Answers::still_asks(std::uint64_t id) const {
    return ::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

void Answers::respond(std::uint64_t id, int error) const {
    seccomp_notif_resp response{};
    response.id = id;
    response.error = -error;
    (void)::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_SEND, &response);
}

void Answers::watch(std::vector<pollfd>& watched) const {
    watched.push_back({listener_.get(), POLLIN, 0});
    for (const Pending& one : pending_) watched.push_back({one.socket.get(), POLLOUT, 0});
}

int Answers::timeout() const {
    auto first = Clock::time_point::max();
    for (const Pending& one : pending_) first = std::min(first, one.deadline);
    if (first == Clock::time_point::max()) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(first - Clock::now()).count();
    return static_cast<int>(std::clamp<decltype(left)>(left, 0, INT_MAX));
}

void Answers::serve(const std::vector<pollfd>& watched) {
    const std::size_t own = watched.size() - pending_.size();
    for (std::size_t i = 0; i < pending_.size(); ++i) {
        if (watched[own + i].revents != 0) finish(pending_[i]);
        if (pending_[i].socket && pending_[i].deadline <= Clock::now()) {
            respond(pending_[i].id, EINPROGRESS);
            pending_[i].socket.reset();
        }
    }
    std::erase_if(pending_, [](const Pending& one) { return !one.socket; });
    // POLLHUP: no process uses the filter any more.
    if ((watched[own - 1].revents & POLLIN) != 0) answer_next();
    if ((watched[own - 1].revents & POLLHUP) != 0) listener_.reset();
}

void Answers::finish(Pending& pending) {
    int error = 0;
    socklen_t size = sizeof(error);
    if (::getsockopt(pending.socket.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
    respond(pending.id, error);
    pending.socket.reset();
}

void Answers::answer_next() {
    seccomp_notif asked{};
    if (::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_RECV, &asked) == 0) answer(asked);
}

void Answers::answer(const seccomp_notif& asked) {
    constexpr int i386_socketcall = 102;
    constexpr int i386_socket = 359;
    const bool narrow = asked.data.arch == AUDIT_ARCH_I386;
    if (narrow && asked.data.nr == i386_socketcall) return answer_multiplexed(asked);
    // On i386, the upper halves of the arguments are unused and zero.
    const auto& arguments = asked.data.args;
    const auto first = static_cast<int>(arguments[0]);
    if (asked.data.nr == (narrow ? i386_socket : SYS_socket)) {
        return make_socket(asked, first, static_cast<int>(arguments[1]), static_cast<int>(arguments[2]));
    }
    // Only connect(2) is left.
    connect(asked, first, arguments[1], arguments[2]);
}

void Answers::answer_multiplexed(const seccomp_notif& asked) {
    const auto which = static_cast<std::uint32_t>(asked.data.args[0]);
    const auto where = static_cast<std::uint32_t>(asked.data.args[1]);
    // Copy as many as the kernel reads: the memory after them may not be mapped. (net/socket.c, nargs[])
    std::array<std::uint32_t, 4> words{};
    const std::size_t count = which == SYS_SOCKETPAIR ? 4 : 3;
    if (!read_from(static_cast<pid_t>(asked.pid), where, words, count * sizeof(words[0])) ||
        !still_asks(asked.id))
        return respond(asked.id, EFAULT);
    if (which == SYS_CONNECT) return connect(asked, static_cast<int>(words[0]), words[1], words[2]);
    const auto family = static_cast<int>(words[0]);
    const auto type = static_cast<int>(words[1]);
    const auto protocol = static_cast<int>(words[2]);
    if (which == SYS_SOCKETPAIR) return make_pair(asked, family, type, protocol, words[3]);
    return make_socket(asked, family, type, protocol);
}

void Answers::make_socket(const seccomp_notif& asked, int family, int type, int protocol) {
    if (!is_allowed(family, protocol)) return respond(asked.id, EAFNOSUPPORT);
    const Fd made(::socket(family, type | SOCK_CLOEXEC, protocol));
    if (!made) return respond(asked.id, errno);
    if (rules_.dscp && is_datagram(type)) mark(made, family, *rules_.dscp);
    seccomp_notif_addfd gift = giving(asked.id, made, type);
    gift.flags = SECCOMP_ADDFD_FLAG_SEND;
    // The error is the game's own: EMFILE.
    if (::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_ADDFD, &gift) < 0) respond(asked.id, errno);
}

void Answers::make_pair(const seccomp_notif& asked, int family, int type, int protocol, std::uint64_t where) {
    if (family != AF_UNIX) return respond(asked.id, EAFNOSUPPORT);
    std::array<int, 2> ends{};
    if (::socketpair(family, type | SOCK_CLOEXEC, protocol, ends.data()) != 0)
        return respond(asked.id, errno);
    const std::array<Fd, 2> made{Fd(ends[0]), Fd(ends[1])};
    std::array<int, 2> theirs{};
    for (std::size_t i = 0; i < made.size(); ++i) {
        seccomp_notif_addfd gift = giving(asked.id, made.at(i), type);
        theirs.at(i) = ::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_ADDFD, &gift);
        if (theirs.at(i) < 0) return respond(asked.id, errno);
    }
    respond(asked.id, write_to(static_cast<pid_t>(asked.pid), where, theirs) ? 0 : EFAULT);
}

/// If sockets cannot be taken, the call continues and reads the address again: a program that changes it
/// meanwhile gets through.
void Answers::let_connect(const seccomp_notif& asked, const sockaddr_storage& to) const {
    if (!still_asks(asked.id)) return;
    if (is_closed(to, rules_.loopback)) return respond(asked.id, EPERM);
    seccomp_notif_resp response{};
    response.id = asked.id;
    response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    (void)::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_SEND, &response);
}

void Answers::connect(const seccomp_notif& asked, int socket, std::uint64_t address, std::uint64_t length) {
    const auto size = static_cast<int>(length);
    sockaddr_storage to{};
    if (size < 0 || static_cast<std::size_t>(size) > sizeof(to)) return respond(asked.id, EINVAL);
    const auto caller = static_cast<pid_t>(asked.pid);
    if (size > 0 && !read_from(caller, address, to, static_cast<std::size_t>(size)))
        return respond(asked.id, EFAULT);
    if (!rules_.takes_sockets) return let_connect(asked, to);
    auto taken = take_socket(rules_.processes, caller, socket);
    // Up to here, the number could have been reused by another process.
    if (!still_asks(asked.id)) return;
    if (!taken) return respond(asked.id, taken.error());
    if (makes_connections(*taken) && is_closed(to, rules_.loopback)) return respond(asked.id, EPERM);
    const int flags = ::fcntl(taken->get(), F_GETFL);
    const bool waits = (flags & O_NONBLOCK) == 0;
    if (waits && pending_.size() >= max_pending) return respond(asked.id, EAGAIN);
    // The supervisor never blocks.
    if (waits) (void)::fcntl(taken->get(), F_SETFL, flags | O_NONBLOCK);
    const int error = connect_from(rules_.processes, caller, *taken, to, static_cast<socklen_t>(size));
    if (waits) (void)::fcntl(taken->get(), F_SETFL, flags);
    if (!waits || error != EINPROGRESS) return respond(asked.id, error);
    timeval limit{};
    socklen_t limit_size = sizeof(limit);
    (void)::getsockopt(taken->get(), SOL_SOCKET, SO_SNDTIMEO, &limit, &limit_size);
    const auto time = std::chrono::seconds(limit.tv_sec) + std::chrono::microseconds(limit.tv_usec);
    pending_.push_back(
        {asked.id, std::move(*taken), time.count() == 0 ? Clock::time_point::max() : Clock::now() + time});
}

}  // namespace left4me::sandbox
