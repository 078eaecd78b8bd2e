#include "operations/upstream.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "operations/interruption.hpp"
#include "reconciler/pinning.hpp"

namespace left4me::operations {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto patience = 10min;
constexpr auto look_again = 100ms;
constexpr auto worth_telling = 2s;

/// Tells our question from those of others.
std::string new_question() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return fmt::format("{}-{}", ::getpid(), std::chrono::nanoseconds(now).count());
}

class Asking {
  public:
    Asking(Context& context, SystemdHost& machine, Interruption& interruption)
        : context_(context), machine_(machine), interruption_(interruption) {}

    Result<Answers> run(const std::map<std::string, OverlaySource>& sources) {
        for (const auto& [name, source] : sources) {
            if (auto asked = ask(name, source); !asked) return std::unexpected(asked.error());
        }
        std::vector<std::string> names;
        for (const auto& [name, open] : open_) names.push_back(name);
        begin(names);
        const auto began = Clock::now();
        bool told = false;
        while (!open_.empty()) {
            if (auto looked = look(); !looked) return std::unexpected(looked.error());
            if (open_.empty()) break;
            Readiness pause = interruption_.readiness();
            pause.timeout = look_again;
            wait_for_any({pause, machine_.units().readiness()});
            if (interruption_.came()) return fail(ErrorKind::Interrupted, "nothing was changed");
            const auto waited = Clock::now() - began;
            if (waited > patience)
                return fail(ErrorKind::TimedOut,
                            fmt::format("{}: upstream did not answer in time; "
                                        "nothing was changed",
                                        owner(open_.begin()->first, open_.begin()->second)));
            if (waited > worth_telling && !std::exchange(told, true))
                context_.notice(fmt::format("waiting for upstream of {}{}",
                                            owner(open_.begin()->first, open_.begin()->second),
                                            open_.size() > 1 ? ", and others" : ""));
        }
        return std::move(answers_);
    }

  private:
    struct Open {
        OverlaySource source;
        std::string last_answered;  ///< the question that was answered when this was asked
    };

    /// "overlay/maps", "installation/default".
    static std::string owner(const std::string& name, const Open& open) {
        return to_string(Subject{kind_of(open.source), name});
    }

    Result<void> ask(const std::string& name, const OverlaySource& source) {
        const Fd directory = store::open_build_directory(context_.paths, name);
        const auto last = directory ? store::read_upstream(directory.get()) : std::nullopt;
        open_.insert_or_assign(name, Open{source, last ? last->question : ""});
        const auto asked = machine_.request_check(name, {source, question_});
        if (!asked) return fail(ErrorKind::StateFailed, asked.error().message);
        return {};
    }

    void begin(const std::vector<std::string>& names) {
        machine_.units().begin(Verb::Build, names);
        starting_.insert(names.begin(), names.end());
    }

    void answer(const std::string& name, std::expected<Pin, std::string> pin) {
        answers_.emplace(name, std::move(pin));
        open_.erase(name);
    }

    Result<void> look() {
        for (const auto& [verb, outcome] : machine_.units().poll_completions()) {
            starting_.erase(outcome.server);
            if (!outcome.done && open_.contains(outcome.server))
                answer(outcome.server, std::unexpected(outcome.message));
        }
        // Before the answers are read: who is not among them has answered, or does not.
        const auto listed = machine_.units().list();
        if (!listed) return fail(ErrorKind::HostUnavailable, listed.error());
        std::vector<std::string> again;
        for (const auto& [name, open] : std::map(open_)) {
            const Fd directory = store::open_build_directory(context_.paths, name);
            auto upstream = directory ? store::read_upstream(directory.get()) : std::nullopt;
            if (upstream && upstream->question == question_) {
                answer(name, std::move(upstream->pin));
            } else if (!listed->builds.contains(name) && !starting_.contains(name)) {
                // The unit was building when it was to be started, and has not seen the question.
                if (directory && store::is_check_waiting(directory.get())) {
                    again.push_back(name);
                } else if (upstream && upstream->question != open.last_answered) {
                    // Somebody else's question has taken the place of ours, and was answered.
                    if (auto asked = ask(name, open.source); !asked) return asked;
                    again.push_back(name);
                } else {
                    answer(name, std::unexpected(
                                     fmt::format("no answer; l4d2ctl logs {} says why", owner(name, open))));
                }
            }
        }
        if (!again.empty()) begin(again);
        return {};
    }

    Context& context_;
    SystemdHost& machine_;
    Interruption& interruption_;
    std::string question_ = new_question();
    std::map<std::string, Open> open_;
    std::set<std::string> starting_;  ///< whose unit's job has not ended
    Answers answers_;
};

}  // namespace

Result<Answers> ask_upstream(Context& context, const std::map<std::string, OverlaySource>& sources) {
    if (sources.empty()) return Answers();
    Interruption interruption;
    auto machine = connect(context);
    if (!machine) return std::unexpected(machine.error());
    return Asking(context, **machine, interruption).run(sources);
}

std::optional<store::Upstream> last_answer(const Paths& paths, const std::string& overlay,
                                           const OverlaySource& source) {
    const Fd directory = store::open_build_directory(paths, overlay);
    if (!directory) return std::nullopt;
    auto upstream = store::read_upstream(directory.get());
    if (!upstream || upstream->source != pin_identity(source)) return std::nullopt;
    return upstream;
}

std::optional<Pin> built_pin(const Paths& paths, const std::string& overlay, const OverlaySource& source) {
    const Fd directory = store::open_build_directory(paths, overlay);
    if (!directory) return std::nullopt;
    auto pin = store::read_built_pin(directory.get());
    const BuildRecord record = store::read_record(directory.get());
    if (!pin || !record.artifact) return std::nullopt;
    // Of an artifact that has followed meanwhile, or of another source.
    const std::vector<std::string> inputs = pinned_inputs(without_pin(source), *pin);
    const bool is_its_own = std::any_of(inputs.begin(), inputs.end(), [&](const std::string& input) {
        return record.artifact->is_of(input);
    });
    return is_its_own ? pin : std::nullopt;
}

}  // namespace left4me::operations
