#include "process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <tuple>
#include <utility>

#include "server.hpp"

namespace standin::testing {
namespace {

using namespace std::chrono_literals;

sockaddr_in loopback(int port) {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(static_cast<std::uint16_t>(port));
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return where;
}

Descriptor connected(int port, int type) {
    Descriptor made(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
    auto where = loopback(port);
    if (::connect(made.get(), reinterpret_cast<sockaddr*>(&where), sizeof where) != 0)
        throw std::runtime_error("nobody listens on port " + std::to_string(port));
    return made;
}

std::optional<std::string> receive(int socket, int milliseconds) {
    pollfd polled{socket, POLLIN, 0};
    if (::poll(&polled, 1, milliseconds) != 1) return std::nullopt;
    std::array<char, 4200> buffer{};
    const auto got = ::recv(socket, buffer.data(), buffer.size(), 0);
    if (got <= 0) return std::nullopt;
    return std::string(buffer.data(), static_cast<std::size_t>(got));
}

bool is_free(int port) {
    auto where = loopback(port);
    const auto binds = [&where](int type) {
        const Descriptor socket(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
        return ::bind(socket.get(), reinterpret_cast<sockaddr*>(&where), sizeof where) == 0;
    };
    return binds(SOCK_DGRAM) && binds(SOCK_STREAM);
}

/// A port below those that the kernel hands out (net.ipv4.ip_local_port_range begins at 32768), and a name
/// that keeps it from other tests, which may run at the same time, until the game has it and longer.
std::pair<Descriptor, int> reserve_port() {
    constexpr int first = 20'000;
    constexpr int count = 12'000;
    for (int i = 0; i < count; ++i) {
        const int port = first + (::getpid() * 31 + i) % count;
        sockaddr_un name{};
        name.sun_family = AF_UNIX;
        const auto text = "standin-port-" + std::to_string(port);
        std::copy(text.begin(), text.end(), name.sun_path + 1);
        const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size());
        Descriptor reserved(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        if (::bind(reserved.get(), reinterpret_cast<sockaddr*>(&name), length) == 0 && is_free(port))
            return {std::move(reserved), port};
    }
    throw std::runtime_error("no free port");
}

}  // namespace

Process::Process() {
    std::tie(reserved_, port_) = reserve_port();
    std::string pattern = std::filesystem::temp_directory_path() / "standin-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
    root_ = pattern;
    std::filesystem::create_directories(root_ / "left4dead2/cfg");
    std::filesystem::copy_file(STANDIN_PROGRAM, root_ / "srcds_run");
}

Process::~Process() {
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
}

void Process::write(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
}

std::string Process::read(const std::string& path) const {
    std::ostringstream text;
    text << std::ifstream(root_ / path).rdbuf();
    return text.str();
}

void Process::start(const std::vector<std::string>& more, const std::string& until) {
    std::vector<std::string> words{
        root_ / "srcds_run", "-game",           "left4dead2", "-port",    std::to_string(port_),
        "-norestart",        "-strictportbind", "+ip",        "127.0.0.1"};
    words.insert(words.end(), more.begin(), more.end());
    std::vector<char*> values;
    for (auto& word : words) values.push_back(word.data());
    values.push_back(nullptr);
    const auto log = root_ / "output";
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("no process");
    if (pid_ == 0) {
        const int out = ::open(log.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0644);
        ::dup2(out, 1);
        ::dup2(out, 2);
        ::execv(values.front(), values.data());
        ::_exit(127);
    }
    for (int i = 0; i < 6000; ++i) {
        if (output().find(until) != std::string::npos) return;
        std::this_thread::sleep_for(10ms);
    }
    throw std::runtime_error("the stand-in does not print " + until + ":\n" + output());
}

void Process::signal(int number) const {
    if (pid_ > 0) ::kill(pid_, number);
}

std::optional<int> Process::ended(int milliseconds) {
    for (int waited = 0; waited <= milliseconds; waited += 10) {
        int status = 0;
        if (::waitpid(pid_, &status, WNOHANG) == pid_) {
            pid_ = -1;
            return status;
        }
        std::this_thread::sleep_for(10ms);
    }
    return std::nullopt;
}

Asker::Asker(int port) : socket_(connected(port, SOCK_DGRAM)) {}

std::optional<std::string> Asker::ask(std::string_view request, int milliseconds) const {
    if (::send(socket_.get(), request.data(), request.size(), 0) < 0) return std::nullopt;
    return receive(socket_.get(), milliseconds);
}

std::optional<std::string> exchange(int port, std::string_view request, int milliseconds) {
    return Asker(port).ask(request, milliseconds);
}

std::optional<Info> info(int port, int milliseconds) {
    const Asker asker(port);
    std::string request(info_request);
    for (int tries = 0; tries < 3; ++tries) {
        const auto answer = asker.ask(request, milliseconds);
        if (!answer || !answer->starts_with(challenge_header)) return answer ? decode(*answer) : std::nullopt;
        request = std::string(info_request) + answer->substr(challenge_header.size());
    }
    return std::nullopt;
}

std::vector<Rcon> console(int port, const std::vector<Rcon>& packets, std::size_t expected) {
    const auto socket = connected(port, SOCK_STREAM);
    for (const auto& packet : packets) {
        const auto bytes = encode(packet);
        (void)::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }
    std::vector<Rcon> answers;
    std::string buffer;
    bool broken = false;
    while (answers.size() < expected) {
        const auto more = receive(socket.get(), 2000);
        if (!more) break;
        buffer += *more;
        while (auto packet = take(buffer, broken)) answers.push_back(std::move(*packet));
    }
    return answers;
}

}  // namespace standin::testing
