#include "operations/journal_tail.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "adapters/files.hpp"
#include "adapters/systemd/unit_names.hpp"

namespace left4me::operations {

namespace {

constexpr std::size_t max_bytes = std::size_t{1} << 20U;

class SpawnActions {
  public:
    SpawnActions() { posix_spawn_file_actions_init(&actions_); }
    SpawnActions(const SpawnActions&) = delete;
    SpawnActions& operator=(const SpawnActions&) = delete;
    ~SpawnActions() { posix_spawn_file_actions_destroy(&actions_); }
    posix_spawn_file_actions_t* get() { return &actions_; }

  private:
    posix_spawn_file_actions_t actions_{};
};

}  // namespace

std::vector<std::string> log_units(const Subject& subject) {
    if (!has_artifacts(subject.kind)) return {server_unit(subject.name)};
    std::vector<std::string> units{build_unit(subject.name), refresh_unit(subject.name)};
    if (subject.kind == Kind::Installation) {
        units.push_back(install_unit(subject.name));
    } else {
        units.push_back(script_unit(subject.name));
        units.push_back(proxy_unit(subject.name));
    }
    return units;
}

JournalTail::JournalTail(const std::vector<std::string>& units, unsigned lines) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return;
    pipe_ = Fd(ends[0]);
    const Fd write_end(ends[1]);
    SpawnActions actions;
    posix_spawn_file_actions_adddup2(actions.get(), write_end.get(), STDOUT_FILENO);
    posix_spawn_file_actions_addopen(actions.get(), STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(actions.get(), STDIN_FILENO, "/dev/null", O_RDONLY, 0);

    std::vector<std::string> words{"journalctl", "--lines=" + std::to_string(lines), "--quiet", "--no-pager",
                                   "--output=short-iso"};
    for (const std::string& unit : units) words.push_back("--unit=" + unit);
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    // A fixed environment: this may still be root, and the caller controls the caller's environment.
    std::string path = "PATH=/usr/bin:/bin";
    const std::array<char*, 2> environment{path.data(), nullptr};
    if (::posix_spawn(&child_, "/usr/bin/journalctl", actions.get(), nullptr, arguments.data(),
                      environment.data()) != 0) {
        child_ = -1;
    }
}

JournalTail::~JournalTail() {
    pipe_.reset();
    if (child_ > 0) {
        while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
        }
    }
}

std::string JournalTail::text() {
    if (child_ < 0) return {};
    const auto read = read_descriptor(pipe_.get(), "journalctl", max_bytes);
    return read ? *read : std::string();
}

}  // namespace left4me::operations
