#include "operations/journal_tail.hpp"

#include <fcntl.h>

#include <utility>

#include "adapters/child.hpp"
#include "adapters/files.hpp"
#include "adapters/systemd/unit_names.hpp"

namespace left4me::operations {

namespace {

constexpr std::size_t max_bytes = std::size_t{1} << 20U;

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
    auto pipe = make_pipe();
    const Fd nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!pipe || !nothing) return;
    std::vector<std::string> words{"/usr/bin/journalctl", "--lines=" + std::to_string(lines), "--quiet",
                                   "--no-pager", "--output=short-iso"};
    for (const std::string& unit : units) words.push_back("--unit=" + unit);
    // A fixed environment: this may still be root, and the caller controls the caller's environment.
    child_ = start_child(words, {nothing.get(), pipe->write.get(), nothing.get(), -1}).value_or(-1);
    pipe_ = std::move(pipe->read);
}

JournalTail::~JournalTail() {
    pipe_.reset();
    if (child_ > 0) (void)wait_for_child(child_);
}

std::string JournalTail::text() {
    if (child_ < 0) return {};
    const auto read = read_descriptor(pipe_.get(), "journalctl", max_bytes);
    return read ? *read : std::string();
}

}  // namespace left4me::operations
