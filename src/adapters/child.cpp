#include "adapters/child.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

namespace left4me {

namespace {

std::string system_error(const char* what, int error) {
    return fmt::format("{}: {}", what, std::generic_category().message(error));
}

/// The child's descriptors 0 to 3. They are moved up first, because one of them might have the number that
/// another needs.
class Actions {
  public:
    Actions() { posix_spawn_file_actions_init(&actions_); }
    Actions(const Actions&) = delete;
    Actions& operator=(const Actions&) = delete;
    ~Actions() { posix_spawn_file_actions_destroy(&actions_); }

    void put(int from, int to) { posix_spawn_file_actions_adddup2(&actions_, from, to); }
    const posix_spawn_file_actions_t* get() const { return &actions_; }

  private:
    posix_spawn_file_actions_t actions_{};
};

Fd moved_up(int fd) { return Fd(::fcntl(fd, F_DUPFD_CLOEXEC, 10)); }

/// Reads the pipe to its end; false: the deadline passed.
bool read_until(int fd, std::string& output, std::size_t most,
                std::chrono::steady_clock::time_point deadline) {
    std::array<char, 4096> chunk;
    for (;;) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        if (left.count() <= 0) return false;
        pollfd waiting{.fd = fd, .events = POLLIN, .revents = 0};
        const int ready = ::poll(&waiting, 1, static_cast<int>(left.count()));
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) return false;
        const ssize_t got = ::read(fd, chunk.data(), chunk.size());
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return true;
        const std::size_t room = most - std::min(most, output.size());
        output.append(chunk.data(), std::min(room, static_cast<std::size_t>(got)));
    }
}

}  // namespace

int wait_for_child(pid_t pid) {
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::expected<Fd, std::string> text_in_memory(const std::string& text) {
    Fd file(::memfd_create("left4me", MFD_CLOEXEC));
    if (!file) return std::unexpected(system_error("memfd_create", errno));
    const char* next = text.data();
    std::size_t left = text.size();
    while (left > 0) {
        const ssize_t written = ::write(file.get(), next, left);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return std::unexpected(system_error("write", errno));
        next += written;
        left -= static_cast<std::size_t>(written);
    }
    if (::lseek(file.get(), 0, SEEK_SET) != 0) return std::unexpected(system_error("lseek", errno));
    return file;
}

std::expected<pid_t, std::string> start_child(const std::vector<std::string>& words,
                                              const std::array<int, 4>& files) {
    std::array<Fd, 4> moved;
    Actions actions;
    for (std::size_t place = 0; place < files.size(); ++place) {
        if (files.at(place) < 0) continue;
        moved.at(place) = moved_up(files.at(place));
        if (!moved.at(place)) return std::unexpected(system_error("fcntl", errno));
        actions.put(moved.at(place).get(), static_cast<int>(place));
    }
    std::vector<std::string> copies = words;
    std::vector<char*> arguments;
    for (std::string& word : copies) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    std::string path = "PATH=/usr/bin:/bin";
    std::string locale = "LC_ALL=C";
    std::array<char*, 3> environment{path.data(), locale.data(), nullptr};
    pid_t pid = 0;
    const int failed = ::posix_spawn(&pid, words.front().c_str(), actions.get(), nullptr, arguments.data(),
                                     environment.data());
    if (failed != 0) return std::unexpected(system_error(words.front().c_str(), failed));
    return pid;
}

std::expected<Pipe, std::string> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::unexpected(system_error("pipe", errno));
    return Pipe{Fd(ends[0]), Fd(ends[1])};
}

std::expected<ChildResult, std::string> run_child(const std::vector<std::string>& words, const Fd& input,
                                                  const Fd& extra, std::chrono::milliseconds timeout,
                                                  Capture capture) {
    auto output = make_pipe();
    if (!output) return std::unexpected(output.error());
    const int end = output->write.get();
    const int errors = capture.with_errors ? end : input.get();
    const auto pid = start_child(words, {input.get(), end, errors, extra ? extra.get() : -1});
    if (!pid) return std::unexpected(pid.error());
    output->write.reset();
    ChildResult ended;
    const bool in_time = read_until(output->read.get(), ended.output, capture.most,
                                    std::chrono::steady_clock::now() + timeout);
    if (!in_time) (void)::kill(*pid, SIGKILL);
    ended.code = wait_for_child(*pid);
    if (!in_time)
        return std::unexpected(fmt::format("{}: took longer than {} ms", words.front(), timeout.count()));
    return ended;
}

}  // namespace left4me
