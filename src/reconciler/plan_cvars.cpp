#include <fmt/format.h>

#include "reconciler/draft.hpp"
#include "reconciler/live.hpp"
#include "specs/text.hpp"

namespace left4me::draft {
namespace {

/// More names are only counted.
constexpr std::size_t most_named = 5;

/// "sv_maxrate, sv_minrate", of at most so many words.
class Words {
  public:
    void add(std::string_view word) {
        if (++count_ > most_named) return;
        if (!text_.empty()) text_ += ", ";
        text_ += word;
    }
    std::string text() const {
        return count_ > most_named ? fmt::format("{} and {} more", text_, count_ - most_named) : text_;
    }
    bool empty() const { return count_ == 0; }

  private:
    std::string text_;
    std::size_t count_ = 0;
};

}  // namespace

void plan_cvars(const World& world, ServerDraft& draft) {
    static const Remembered nothing;
    const DesiredServer& desired = *draft.target->spec;
    const ObservedServer& observed = *draft.observed;
    if (!can_be_told(*draft.target, observed)) return;
    if (observed.console && observed.console->state == ObservedConsole::State::Refused) {
        draft.steps.push_back(
            {Verb::Report,
             "its console refuses the password, so left4me cannot read or set its cvars; the "
             "values apply at its next start",
             {},
             HoldReason::CvarsRefused});
        return;
    }
    if (!observed.cvars) return;
    const Remembered* const found = world.memory.find(draft.name);
    const Remembered& memory = found == nullptr ? nothing : *found;
    ConsoleCommand command{*observed.mounted_port, observed.console_rendering, {}};
    Words set;
    Words refused;
    for (const auto& [name, value] : desired.cvars) {
        const auto has = observed.cvars->values.find(name);
        if (has == observed.cvars->values.end()) continue;
        if (!has->second) {
            refused.add(fmt::format("the game has no cvar {}", name));
            continue;
        }
        if (is_same_value(*has->second, value)) continue;
        const std::string shown = printable(*has->second);
        const auto tried = memory.cvars.find(name);
        if (tried != memory.cvars.end() && tried->second.value == value) {
            refused.add(fmt::format("{} stays \"{}\" although it was set to \"{}\"", name, shown, value));
            continue;
        }
        set.add(fmt::format("{} \"{}\" → \"{}\"", name, shown, value));
        command.cvars.emplace(name, value);
    }
    if (!set.empty()) {
        Step step{Verb::Set, set.text(), {}, {}};
        step.console = std::move(command);
        draft.steps.push_back(std::move(step));
    }
    if (!refused.empty())
        draft.steps.push_back({Verb::Report,
                               fmt::format("{}; correct or remove it in spec.cvars of blueprint/{}",
                                           refused.text(), desired.blueprint),
                               {},
                               HoldReason::CvarsRefused});
}

}  // namespace left4me::draft
