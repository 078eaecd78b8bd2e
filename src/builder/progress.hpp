#pragma once

#include <chrono>

#include "adapters/store/build_files.hpp"

namespace left4me::builder {

/// Writes the progress of the build, at most twice a second. Failing to write it does not fail the build.
class Progress {
  public:
    explicit Progress(int build_directory) : directory_(build_directory) {}
    ~Progress() { store::remove_progress(directory_); }
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    /// Of a phase: everything counts from zero. Totals may be 0: unknown.
    void begin(BuildPhase phase, std::uint64_t total_bytes, std::uint64_t total_files,
               const std::string& input) {
        now_ = {0, total_bytes, 0, total_files, input, phase, now_.item, now_.items, now_.item_name};
        write();
    }
    /// What the following phases are about: one of several things, as BuildProgress::item.
    void item(std::uint64_t number, std::uint64_t of, const std::string& name) {
        now_.item = number;
        now_.items = of;
        now_.item_name = name;
    }
    /// Of a phase that has no other measure.
    void elapsed(std::chrono::seconds time) {
        now_.elapsed = time;
        tick();
    }
    void total_bytes(std::uint64_t total) { now_.total_bytes = total; }
    /// All bytes so far.
    void at(std::uint64_t bytes) {
        now_.bytes = bytes;
        tick();
    }
    void bytes(std::uint64_t more) {
        now_.bytes += more;
        tick();
    }
    void file() {
        ++now_.files;
        tick();
    }

  private:
    using Clock = std::chrono::steady_clock;

    void tick() {
        if (Clock::now() - written_ >= std::chrono::milliseconds(500)) write();
    }
    void write() {
        written_ = Clock::now();
        (void)store::write_progress(directory_, now_);
    }

    int directory_;
    BuildProgress now_;
    Clock::time_point written_;
};

}  // namespace left4me::builder
