#include "host/native/support.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace left4me::host {

namespace fs = std::filesystem;

namespace {

const fs::path state = "/var/lib/left4me";

fs::path drop_in(const std::string& server) { return "/run/systemd/system/" + unit(server) + ".d"; }

void clean_up(const std::vector<std::string>& servers) {
    std::string units;
    for (const std::string& server : servers) units += " " + unit(server);
    if (units.empty()) return;
    (void)run("systemctl kill -s KILL" + units);
    (void)run("systemctl stop" + units);
    (void)run("systemctl unmask" + units + "; systemctl unmask --runtime" + units);
    (void)run("systemctl disable" + units);
    for (const std::string& server : servers) fs::remove_all(drop_in(server));
    (void)run("systemctl daemon-reload; systemctl reset-failed" + units);
}

}  // namespace

CommandResult run(const std::string& shell_command) {
    // Otherwise the test would hang without showing which command it was.
    (void)setenv("SHELL_COMMAND", shell_command.c_str(), 1);
    FILE* pipe = popen("exec timeout --kill-after=5 120 sh -c \"$SHELL_COMMAND\" 2>&1", "r");
    if (pipe == nullptr) throw std::runtime_error("popen");
    CommandResult result;
    std::array<char, 4096> buffer{};
    for (std::size_t n = 0; (n = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
        result.output.append(buffer.data(), n);
    result.status = WEXITSTATUS(pclose(pipe));
    if (result.status == 124) std::fprintf(stderr, "ended after 120 s: %s\n", shell_command.c_str());
    return result;
}

std::string unit(const std::string& server) { return "left4me-server@" + server + ".service"; }

std::string property(const std::string& server, const std::string& name) {
    std::string value = run("systemctl show --value -p " + name + " " + unit(server)).output;
    while (value.ends_with('\n')) value.pop_back();
    return value;
}

void write(const fs::path& file, const std::string& text) {
    fs::create_directories(file.parent_path());
    std::ofstream out(file);
    out << text;
    if (!out.flush()) throw std::runtime_error("cannot write " + file.string());
}

bool traps_interrupts(const std::string& server) {
    // SigCgt is hexadecimal; SIGINT is its second bit.
    return run("grep -q '^SigCgt:.*[2367abef]$' /proc/" + property(server, "MainPID") + "/status").status ==
           0;
}

bool eventually(const std::function<bool()>& holds, int seconds) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
    while (!holds()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return true;
}

Answers ask(const char* method, const std::vector<std::string>& names) {
    auto bus = Bus::open();
    if (!bus) return std::unexpected(bus.error());
    bool answered = false;
    Answers answers;
    (*bus)->call(
        {"org.left4me.Helper1", "/org/left4me/Helper1", "org.left4me.Helper1", method},
        [&](sdbus::MethodCall& message) { message << names; },
        [&](sdbus::MethodReply& reply, const BusError* error) {
            answered = true;
            if (error != nullptr) {
                answers = std::unexpected(*error);
                return;
            }
            std::vector<sdbus::Struct<std::string, std::string, std::string>> entries;
            reply >> entries;
            for (const auto& entry : entries)
                answers->push_back({std::get<0>(entry), std::get<1>(entry), std::get<2>(entry)});
        });
    if (const auto done = (*bus)->round_trip([&] { return answered; }); !done)
        return std::unexpected(done.error());
    return answers;
}

Answers ask_as(uid_t user, const char* method, const std::vector<std::string>& names) {
    int ends[2];
    if (pipe(ends) != 0) throw std::runtime_error("pipe");
    const pid_t child = fork();
    if (child == 0) {
        if (setgid(user) != 0 || setuid(user) != 0) _exit(1);
        const Answers answers = ask(method, names);
        std::string text;
        if (!answers) text = "!" + answers.error().name + "\n" + answers.error().message;
        if (answers)
            for (const Answer& answer : *answers) text += answer.error + "\n";
        const bool written = ::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size());
        _exit(written ? 0 : 1);
    }
    close(ends[1]);
    std::string text;
    std::array<char, 4096> buffer{};
    for (ssize_t n = 0; (n = read(ends[0], buffer.data(), buffer.size())) > 0;)
        text.append(buffer.data(), static_cast<std::size_t>(n));
    close(ends[0]);
    int status = 0;
    if (waitpid(child, &status, 0) != child || status != 0)
        throw std::runtime_error("the other user's process failed");
    if (text.starts_with('!')) {
        const std::size_t line = text.find('\n');
        return std::unexpected(BusError{text.substr(1, line - 1), text.substr(line + 1)});
    }
    std::vector<Answer> answers;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) answers.push_back({"", "", line});
    return answers;
}

std::vector<std::string> numbered(const std::string& prefix, int count) {
    std::vector<std::string> names;
    for (int i = 0; i < count; ++i) names.push_back(prefix + std::to_string(i));
    return names;
}

PlainServers::~PlainServers() { clean_up(servers_); }

void PlainServers::add(const std::string& server, const std::string& service) { add_all({server}, service); }

void PlainServers::add_all(const std::vector<std::string>& servers, const std::string& service) {
    for (const std::string& server : servers) {
        servers_.push_back(server);
        host::write(drop_in(server) / "test.conf",
                    "[Service]\nExecStartPre=\nExecStart=\nExecStopPost=\nExecStopPost=/usr/bin/true\n" +
                        service + "\n");
    }
    (void)run("systemctl daemon-reload");
}

RealServers::~RealServers() {
    clean_up(servers_);
    for (const std::string& server : servers_) {
        fs::remove_all(state / "instances" / server);
        if (!is_mounted(server)) fs::remove_all(runtime(server));
    }
}

fs::path RealServers::runtime(const std::string& server) { return state / "runtime" / server; }

void RealServers::add(const std::string& server, const std::string& script) {
    servers_.push_back(server);
    const std::string digest = "0123456789abcdef";
    const fs::path rendering = state / "instances" / server / digest;
    const std::string layer = "instances/" + server + "/" + digest + "/layer";
    host::write(rendering / "server.env",
                "L4D2_NAME=" + server + "\nL4D2_PORT=27015\nset -- +map c1m1_hotel\n");
    host::write(rendering / "layers", layer + "\ninstallation\n");
    host::write(rendering / "layer/srcds_run", "#!/bin/sh\n" + script + "\n");
    fs::permissions(rendering / "layer/srcds_run", fs::perms(0775));
    fs::create_directory_symlink(digest, state / "instances" / server / "current");
    (void)run("chown -hR left4me:left4me-server " + (state / "instances" / server).string());
}

bool is_mounted(const std::string& server) {
    return run("mountpoint -q " + (RealServers::runtime(server) / "merged").string()).status == 0;
}

}  // namespace left4me::host
