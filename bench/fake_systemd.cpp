#include "fake_systemd.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string_view>
#include <utility>

namespace left4me::bench {
namespace {

constexpr const char* manager_path = "/org/freedesktop/systemd1";

std::pair<Fd, Fd> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) give_up("pipe");
    return {Fd(ends[0]), Fd(ends[1])};
}

void check(int result, const char* what) {
    if (result < 0) give_up(fmt::format("{}: {}", what, std::strerror(-result)));
}

/// Same encoding as sd_bus_path_encode(3).
std::string unit_path(std::size_t index) {
    return fmt::format("{}/unit/left4me_2dserver_40{}_2eservice", manager_path, server_name(index));
}

/// The limits are the built-in ones, as on the system bus. Without a policy nobody may do anything.
void write_configuration(const std::filesystem::path& file, const std::filesystem::path& socket) {
    std::ofstream(file) << R"(<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path=)" << socket.string()
                        << R"(</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*"/>
    <allow send_type="signal"/>
    <allow receive_sender="*"/>
  </policy>
</busconfig>
)";
}

pid_t run_daemon(const std::filesystem::path& scratch, Fd& address) {
    const std::filesystem::path file = scratch / "bus.conf";
    write_configuration(file, scratch / "bus");
    auto [read, write] = make_pipe();
    const pid_t pid = fork_child();
    if (pid == 0) {
        ::dup2(write.get(), STDOUT_FILENO);
        ::execlp("dbus-daemon", "dbus-daemon", "--nofork", "--nopidfile", "--print-address=1",
                 ("--config-file=" + file.string()).c_str(), nullptr);
        give_up("cannot run dbus-daemon; on Debian it is in the package dbus-daemon");
    }
    address = std::move(read);
    return pid;
}

int answer_list(sd_bus_message* call, std::size_t servers) {
    sd_bus_message* reply = nullptr;
    check(sd_bus_message_new_method_return(call, &reply), "answer");
    const char* pattern = nullptr;
    bool asked = false;
    check(sd_bus_message_skip(call, "as"), "patterns");
    check(sd_bus_message_enter_container(call, 'a', "s"), "patterns");
    while (sd_bus_message_read(call, "s", &pattern) > 0)
        asked = asked || std::string_view(pattern).starts_with("left4me-server@");
    if (!asked) servers = 0;
    check(sd_bus_message_open_container(reply, 'a', "(ssssssouso)"), "answer");
    for (std::size_t index = 0; index < servers; ++index) {
        const std::string name = server_name(index);
        check(sd_bus_message_append(reply, "(ssssssouso)",
                                    fmt::format("left4me-server@{}.service", name).c_str(),
                                    fmt::format("Left 4 Dead 2 server {}", name).c_str(), "loaded", "active",
                                    "running", "", unit_path(index).c_str(), std::uint32_t{0}, "", "/"),
              "answer");
    }
    check(sd_bus_message_close_container(reply), "answer");
    check(sd_bus_send(nullptr, reply, nullptr), "answer");
    sd_bus_message_unref(reply);
    return 1;
}

int on_call(sd_bus_message* call, void* servers, sd_bus_error*) {
    constexpr const char* manager = "org.freedesktop.systemd1.Manager";
    if (sd_bus_message_is_method_call(call, manager, "Subscribe") > 0)
        return sd_bus_reply_method_return(call, nullptr);
    if (sd_bus_message_is_method_call(call, manager, "ListUnitsByPatterns") > 0)
        return answer_list(call, *static_cast<std::size_t*>(servers));
    return 0;  // libsystemd answers that there is no such method
}

void emit_change(sd_bus* bus, std::size_t index) {
    check(sd_bus_emit_signal(bus, unit_path(index).c_str(), "org.freedesktop.DBus.Properties",
                             "PropertiesChanged", "sa{sv}as", "org.freedesktop.systemd1.Unit", 2,
                             "ActiveState", "s", "active", "SubState", "s", "running", 0),
          "signal");
}

/// Sends one byte when ready, then runs until nobody can ask for events any more.
[[noreturn]] void serve(std::size_t servers, const Fd& events, const Fd& ready) {
    sd_bus* bus = nullptr;
    check(sd_bus_open_system(&bus), "the private bus");
    check(sd_bus_add_object(bus, nullptr, manager_path, on_call, &servers), "object");
    check(sd_bus_request_name(bus, "org.freedesktop.systemd1", 0), "name");
    if (::write(ready.get(), "", 1) != 1) std::_Exit(1);
    for (;;) {
        const int worked = sd_bus_process(bus, nullptr);
        check(worked, "the private bus");
        if (worked > 0) continue;
        std::array<pollfd, 2> awaited{
            pollfd{
                .fd = sd_bus_get_fd(bus), .events = static_cast<short>(sd_bus_get_events(bus)), .revents = 0},
            pollfd{.fd = events.get(), .events = POLLIN, .revents = 0}};
        (void)::poll(awaited.data(), awaited.size(), -1);
        if (awaited[1].revents == 0) continue;
        std::size_t index = 0;
        if (::read(events.get(), &index, sizeof index) != sizeof index) std::_Exit(0);
        emit_change(bus, index);
    }
}

pid_t run_service(std::size_t servers, Fd& events) {
    auto [events_read, events_write] = make_pipe();
    auto [ready_read, ready_write] = make_pipe();
    const pid_t pid = fork_child();
    if (pid == 0) {
        events_write.reset();
        serve(servers, events_read, ready_write);
    }
    ready_write.reset();
    char byte = 0;
    if (::read(ready_read.get(), &byte, 1) != 1) give_up("the fake systemd did not start");
    events = std::move(events_write);
    return pid;
}

}  // namespace

void give_up(const std::string& why) {
    fmt::print(stderr, "{}\n", why);
    std::_Exit(1);
}

pid_t fork_child() {
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0) give_up("fork");
    if (pid == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) std::_Exit(1);  // it died before this was requested
    }
    return pid;
}

void Child::end() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGTERM);
    (void)succeeded();
}

bool Child::succeeded() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) continue;
    pid_ = 0;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

PrivateBus::PrivateBus(const std::filesystem::path& scratch) : daemon_(run_daemon(scratch, address_)) {
    std::string address;
    for (char byte = 0; ::read(address_.get(), &byte, 1) == 1 && byte != '\n';) address += byte;
    if (address.empty()) give_up("dbus-daemon did not start");
    ::setenv("DBUS_SYSTEM_BUS_ADDRESS", address.c_str(), 1);
}

std::string server_name(std::size_t index) { return fmt::format("s{:05}", index); }

FakeSystemd::FakeSystemd(std::size_t servers) : service_(run_service(servers, events_)) {}

void FakeSystemd::change(std::size_t index) const {
    if (::write(events_.get(), &index, sizeof index) != sizeof index) give_up("the fake systemd has ended");
}

}  // namespace left4me::bench
