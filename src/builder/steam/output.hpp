#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace left4me::builder {

/// "Update state (0x61) downloading, progress: 45.50 (100 / 220)".
struct SteamProgress {
    unsigned state = 0;  ///< as steamcmd numbers them: 0x61 is downloading
    std::uint64_t bytes = 0;
    std::uint64_t total = 0;  ///< 0: not known yet

    bool operator==(const SteamProgress&) const = default;
};

/// What steamcmd complains of.
enum class SteamComplaint {
    None,
    RateLimit,
    Login,
    Licence,  ///< it says that the platform is invalid, or that there is no subscription
    Configuration,
    DiskSpace,
    Other,
};

/// What one run of steamcmd prints: lines that end with `\n` or `\r`, may be glued together, and carry escape
/// sequences of a terminal. Keeps what matters of it, and no more than that.
class SteamOutput {
  public:
    void feed(std::string_view bytes);
    /// The last line may have no end.
    void finish() { end_line(); }

    /// "Success! App '222860' …" was printed.
    bool succeeded() const { return succeeded_; }
    /// Of the last line with an error.
    SteamComplaint complaint() const { return complaint_; }
    /// That line, printable; empty: none.
    const std::string& error() const { return error_; }
    /// The bits of "state is 0x402 after update job".
    std::optional<unsigned> failed_state() const { return failed_state_; }
    const std::optional<SteamProgress>& progress() const { return progress_; }
    /// The newest build of the public branch, from what `app_info_print` prints; empty: it is not in there.
    const std::string& public_build() const { return build_; }

  private:
    void end_line();
    void take(std::string_view line);
    void look_for_build(std::string_view line);

    std::string line_;  ///< not whole yet
    bool escape_ = false;
    bool succeeded_ = false;
    SteamComplaint complaint_ = SteamComplaint::None;
    std::string error_;
    std::optional<unsigned> failed_state_;
    std::optional<SteamProgress> progress_;
    int branch_ = 0;  ///< how far into `branches { public { buildid` it is
    std::string build_;
};

/// What follows from one run.
enum class SteamEnd {
    Done,
    Again,            ///< it has replaced itself, and is to be run once more
    Retry,            ///< Steam or the network had a bad moment
    WithoutValidate,  ///< a retry that does not check the files works
    Stuck,            ///< what it knows about the installation is to be removed before a retry
    DiskFull,
    Fatal,  ///< a retry now is useless
};

struct SteamVerdict {
    SteamEnd end = SteamEnd::Retry;
    std::string message;  ///< why it is not Done, with the remedy if there is one
};

/// Exit codes lie: both must agree. Of an update.
SteamVerdict judge_update(const SteamOutput& output, int exit_code);
/// The same of `app_info_print`, which needs no word of success.
SteamVerdict judge_lookup(const SteamOutput& output, int exit_code);

/// "buildid" of steamapps/appmanifest_222860.acf; empty: it is not in there.
std::string build_in_manifest(std::string_view text);

}  // namespace left4me::builder
