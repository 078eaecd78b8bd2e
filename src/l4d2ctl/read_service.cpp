#include "l4d2ctl/read_service.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace left4me::ctl {

namespace {

constexpr std::array<std::string_view, 9> served_verbs{"describe", "diff", "explain-path", "get", "players",
                                                       "status",   "top",  "tree",         "wait"};
constexpr std::array<std::string_view, 6> output_variables{"COLUMNS",  "LANG",     "LC_ALL",
                                                           "LC_CTYPE", "NO_COLOR", "TERM"};
constexpr std::size_t max_arguments = 4096;

/// Standard output and standard error of whoever asks.
constexpr std::size_t passed = 2;

/// Room for the two descriptors, cmsg(3).
union Control {
    cmsghdr aligned;
    std::array<char, CMSG_SPACE(passed * sizeof(int))> bytes;
};

msghdr message_of(iovec& part, Control& control) {
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes.data();
    message.msg_controllen = control.bytes.size();
    return message;
}

bool is_output_variable(std::string_view setting) {
    const std::string_view name = setting.substr(0, setting.find('='));
    return name.size() < setting.size() &&
           std::find(output_variables.begin(), output_variables.end(), name) != output_variables.end();
}

Fd connect_to(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return {};
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    Fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    const auto* const to = reinterpret_cast<const sockaddr*>(&address);
    if (socket && ::connect(socket.get(), to, sizeof address) != 0) return {};
    return socket;
}

bool send_request(int socket, std::string bytes) {
    iovec part{bytes.data(), bytes.size()};
    Control control{};
    msghdr message = message_of(part, control);
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(passed * sizeof(int));
    const std::array<int, passed> streams{STDOUT_FILENO, STDERR_FILENO};
    std::memcpy(CMSG_DATA(header), streams.data(), sizeof streams);
    return ::sendmsg(socket, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

/// Puts what was sent along in place of our own output.
bool take_streams(const msghdr& message) {
    const cmsghdr* const header = CMSG_FIRSTHDR(&message);
    if (header == nullptr || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS ||
        header->cmsg_len != CMSG_LEN(passed * sizeof(int)))
        return false;
    std::array<int, passed> streams{};
    std::memcpy(streams.data(), CMSG_DATA(header), sizeof streams);
    const Fd out(streams[0]);
    const Fd err(streams[1]);
    return ::dup2(out.get(), STDOUT_FILENO) >= 0 && ::dup2(err.get(), STDERR_FILENO) >= 0;
}

/// Who hangs up wants no more of a --watch. SIGIO ends the process, and comes when the other end is closed,
/// fcntl(2).
bool end_with(int socket) {
    return ::fcntl(socket, F_SETOWN, ::getpid()) == 0 &&
           ::fcntl(socket, F_SETFL, ::fcntl(socket, F_GETFL) | O_ASYNC) == 0;
}

}  // namespace

std::string encode(const ReadRequest& request) {
    std::string bytes;
    for (const std::string& setting : request.environment) bytes.append(setting).push_back('\0');
    bytes.push_back('\0');
    for (const std::string& argument : request.arguments) bytes.append(argument).push_back('\0');
    return bytes;
}

std::optional<ReadRequest> decode(std::string_view bytes) {
    ReadRequest request;
    bool in_arguments = false;
    while (!bytes.empty()) {
        const std::size_t end = bytes.find('\0');
        if (end == std::string_view::npos || request.arguments.size() == max_arguments) return std::nullopt;
        const std::string_view text = bytes.substr(0, end);
        bytes.remove_prefix(end + 1);
        if (in_arguments)
            request.arguments.emplace_back(text);
        else if (text.empty())
            in_arguments = true;
        else if (is_output_variable(text))
            request.environment.emplace_back(text);
    }
    if (request.arguments.empty()) return std::nullopt;
    return request;
}

bool is_served(const std::string& verb) {
    return std::find(served_verbs.begin(), served_verbs.end(), verb) != served_verbs.end();
}

std::optional<int> ask_read_service(const Session& session, int argc, char** argv) {
    // Root becomes left4me by itself, and a configuration of their own is not for others to open.
    if (::geteuid() == 0 || session.config_path != config_file || !is_served(session.verb))
        return std::nullopt;
    const std::string instances = session.paths.instances();
    if (::access(instances.c_str(), R_OK | X_OK) == 0 || errno != EACCES) return std::nullopt;
    const Fd socket = connect_to(session.paths.read_socket());
    if (!socket) return std::nullopt;
    ReadRequest request{.arguments = {argv + 1, argv + argc}, .environment = {}};
    for (const std::string_view name : output_variables) {
        if (const char* const value = std::getenv(std::string(name).c_str()))
            request.environment.push_back(fmt::format("{}={}", name, value));
    }
    std::string bytes = encode(request);
    if (bytes.size() > max_read_request) return std::nullopt;
    if (!send_request(socket.get(), std::move(bytes))) return std::nullopt;
    unsigned char code = 0;
    ssize_t got = 0;
    do got = ::recv(socket.get(), &code, 1, 0);
    while (got < 0 && errno == EINTR);
    if (got == 1) return code;
    print_error("left4me-read ended without an answer\n  journalctl -u 'left4me-read@*'");
    return static_cast<int>(Exit::Refused);
}

Result<ReadRequest> accept_read_request() {
    std::string bytes(max_read_request + 1, '\0');
    iovec part{bytes.data(), bytes.size()};
    Control control{};
    msghdr message = message_of(part, control);
    const ssize_t got = ::recvmsg(STDIN_FILENO, &message, MSG_CMSG_CLOEXEC);
    if (got < 0) return fail(Exit::Refused, fmt::format("standard input: {}", std::strerror(errno)));
    if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || !take_streams(message))
        return fail(Exit::Usage, "not a request of l4d2ctl");
    auto request = decode({bytes.data(), static_cast<std::size_t>(got)});
    if (!request) return fail(Exit::Usage, "not a request of l4d2ctl");
    for (const std::string_view name : output_variables) (void)::unsetenv(std::string(name).c_str());
    for (const std::string& setting : request->environment) {
        const std::size_t end = setting.find('=');
        (void)::setenv(setting.substr(0, end).c_str(), setting.c_str() + end + 1, 1);
    }
    if (!end_with(STDIN_FILENO))
        return fail(Exit::Refused, fmt::format("standard input: {}", std::strerror(errno)));
    return std::move(*request);
}

void answer_read_request(int exit_code) {
    const auto code = static_cast<unsigned char>(exit_code);
    (void)::send(STDIN_FILENO, &code, 1, MSG_NOSIGNAL);
}

}  // namespace left4me::ctl
