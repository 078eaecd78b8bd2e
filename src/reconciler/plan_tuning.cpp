#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <iterator>
#include <string_view>

#include "reconciler/backoff.hpp"
#include "reconciler/draft.hpp"
#include "specs/settings_text.hpp"

namespace left4me::draft {
namespace {

/// Why these processors cannot be given to a unit of this host; empty: they can.
std::string why_unusable(const std::string& unit, const std::string& text, const std::vector<Cpus>& cores) {
    const Cpus wanted = parse_cpus(text).value_or(Cpus());
    Cpus online;
    for (const Cpus& core : cores) online.insert(core.begin(), core.end());
    for (const unsigned cpu : wanted) {
        if (!online.contains(cpu))
            return fmt::format(
                "{} is to have the processors {}, and this host has no processor {}: it has {}", unit, text,
                cpu, to_text(online));
    }
    for (const Cpus& core : cores) {
        Cpus within;
        Cpus without;
        for (const unsigned cpu : core) (wanted.contains(cpu) ? within : without).insert(cpu);
        if (within.empty() || without.empty()) continue;
        return fmt::format(
            "{} is to have the processors {}, but {} and {} are one core: write both or neither", unit, text,
            to_text(within), to_text(without));
    }
    return {};
}

std::string why_unusable(const World& world) {
    for (const auto& [unit, settings] : world.desired().tuning) {
        const auto cpus = settings.find(cpus_setting);
        if (cpus == settings.end()) continue;
        std::string why = why_unusable(unit, cpus->second, world.observed.tuning.cores);
        if (!why.empty()) return why;
    }
    return {};
}

/// How the drop-ins on the host differ from those that are asked for, one sentence a unit.
std::vector<std::string> differences(const Tuning& wanted, const std::map<std::string, std::string>& found) {
    std::vector<std::string> differences;
    for (const auto& [unit, settings] : wanted) {
        const auto file = found.find(unit);
        if (file == found.end()) {
            differences.push_back(fmt::format("{} is to have {}", unit, settings_text(settings)));
        } else if (file->second != tuning_text(unit, settings)) {
            differences.push_back(fmt::format("{} is to have {}, and its drop-in says something else", unit,
                                              settings_text(settings)));
        }
    }
    for (const auto& [unit, text] : found) {
        if (!wanted.contains(unit))
            differences.push_back(fmt::format("{} has a drop-in of left4me that no manifest asks for", unit));
    }
    return differences;
}

std::string shortened(const std::vector<std::string>& sentences) {
    constexpr std::size_t shown = 4;
    const auto end =
        std::next(sentences.begin(), static_cast<std::ptrdiff_t>(std::min(shown, sentences.size())));
    std::string text = fmt::format("{}", fmt::join(sentences.begin(), end, "; "));
    if (sentences.size() > shown) text += fmt::format("; and {} more", sentences.size() - shown);
    return text;
}

/// A server's limit of memory: after its own drop-in or, without one, after that of all servers.
std::int64_t memory_limit(const std::map<std::string, std::string>& drop_ins, const std::string& server) {
    constexpr std::int64_t of_the_unit_file = std::int64_t{2} << 30U;
    constexpr std::string_view setting = "\nMemoryMax=";
    auto text = drop_ins.find(tuned_server(server));
    if (text == drop_ins.end()) text = drop_ins.find(tuned_server(""));
    const std::size_t found = text == drop_ins.end() ? std::string::npos : text->second.find(setting);
    std::int64_t limit = of_the_unit_file;
    if (found == std::string::npos) return limit;
    const std::string_view value = std::string_view(text->second).substr(found + setting.size());
    (void)std::from_chars(value.data(), value.data() + value.size(), limit);
    return limit;
}

/// What a lower limit does to running games; or nothing.
std::string loss_of_memory(const World& world) {
    std::map<std::string, std::string> wanted;
    for (const auto& [unit, settings] : world.desired().tuning)
        wanted.emplace(unit, tuning_text(unit, settings));
    const auto games =
        std::count_if(world.observed.servers.begin(), world.observed.servers.end(), [&](const auto& server) {
            return server.second.unit.active == ActiveState::Active &&
                   memory_limit(wanted, server.first) <
                       memory_limit(world.observed.tuning.drop_ins, server.first);
        });
    if (games == 0) return {};
    return fmt::format("; {} running game{} a lower limit of memory at once, and {} killed if {} more", games,
                       games == 1 ? " gets" : "s get", games == 1 ? "is" : "are",
                       games == 1 ? "it uses" : "they use");
}

}  // namespace

std::optional<TuningDraft> plan_tuning(const World& world) {
    if (suspension_of_all(world.intent.suspended, world.observed.now) != nullptr) return std::nullopt;
    if (std::string why = why_unusable(world); !why.empty())
        return TuningDraft{{Verb::Report, std::move(why), {}, HoldReason::CpusUnusable}};
    const Tuning& wanted = world.desired().tuning;
    const auto differing = differences(wanted, world.observed.tuning.drop_ins);
    if (differing.empty() && world.observed.tuning.is_loaded) return std::nullopt;
    const std::string hash = tuning_hash(wanted);
    const Backoff& backoff = world.memory.tuned.backoff;
    if (!is_retried(world.intent, backoff) && backs_off(backoff, hash, world.observed.now))
        return TuningDraft{{Verb::Hold,
                            fmt::format("{}; the last time: {}", backoff_text(backoff), backoff.message),
                            {},
                            HoldReason::BackOff}};
    return TuningDraft{{Verb::Tune,
                        differing.empty() ? "systemd has not read its drop-ins since they were written"
                                          : shortened(differing) + loss_of_memory(world),
                        {},
                        {}},
                       world.memory.tuned.applied == hash};
}

}  // namespace left4me::draft
