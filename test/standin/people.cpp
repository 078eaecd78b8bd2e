#include "people.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <utility>

namespace standin {
namespace {

/// Names as people choose them: with quotation marks, colours of terminals, marks that turn text around,
/// lines of `status`.
std::string name_of(unsigned number) {
    const std::string text = std::to_string(number);
    const std::array<std::string, 6> names{
        "player \"" + text + "\"",
        "Zoey " + text,
        "\x1b[31mred\x1b[0m " + text,
        "\xc3\xb1"
        "and\xc3\xba " +
            text,
        "\xe2\x80\xaetxet " + text,
        "players : 0 humans, 0 bots (8 max) (hibernating) (unreserved) " + text,
    };
    return names[number % names.size()];
}

std::string milliseconds(Clock::duration duration) {
    return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count()) + " ms";
}

}  // namespace

void People::order(std::size_t playing, std::size_t connecting, bool reserved) {
    wanted_playing_ = playing;
    wanted_connecting_ = connecting;
    ordered_lobby_ = reserved;
}

void People::follow(const std::optional<Script>& script) {
    if (script == script_) return;
    script_ = script;
    visit_ = {};
    is_new_ = script.has_value();
    if (script) random_.seed(script->seed + 1);
}

Clock::duration People::about(int seconds) {
    const double uniform = std::uniform_real_distribution<>(0.01, 0.99)(random_);
    return std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double>(-std::log(uniform) * seconds));
}

Person People::somebody(Clock::time_point comes) {
    const unsigned number = ++connects_;
    return {.name = name_of(number),
            .steam_id = "STEAM_1:" + std::to_string(number % 2) + ":" + std::to_string(10'000'000 + number),
            .came = comes,
            .plays = comes,
            .leaves = Clock::time_point::max(),
            .score = static_cast<int>(number * 7 % 100) - 5};
}

void People::plan_visit(Clock::time_point from) {
    const auto first = from + about(script_->quiet);
    visit_ = {.reserved = first, .group = {}};
    const int count = std::uniform_int_distribution(1, std::max(1, script_->group))(random_);
    for (int i = 0; i < count; ++i) {
        const auto comes = first + std::chrono::seconds(script_->lobby) +
                           std::chrono::milliseconds(std::uniform_int_distribution(0, 2000)(random_));
        Person person = somebody(comes);
        person.plays = comes + std::chrono::seconds(script_->connect);
        person.leaves = person.plays + about(script_->stay);
        visit_.group.push_back(std::move(person));
    }
}

void People::place(std::vector<Person>& people, std::size_t wanted, bool playing, Clock::time_point now) {
    if (people.size() > wanted) people.resize(wanted);
    while (people.size() < wanted) {
        people.push_back(somebody(now));
        if (!playing) people.back().plays = Clock::time_point::max();
    }
}

bool People::advance(Clock::time_point now) {
    const auto was_here = here_.size();
    const auto had_come = connects_;
    const bool was_reserved = std::exchange(was_reserved_, false);
    const auto leavers =
        std::count_if(here_.begin(), here_.end(), [&](const Person& one) { return one.leaves <= now; });
    place(playing_, wanted_playing_, true, now);
    place(connecting_, wanted_connecting_, false, now);
    here_ = playing_;
    here_.insert(here_.end(), connecting_.begin(), connecting_.end());
    lobby_ = false;
    if (script_) {
        const auto gone = [&](const Person& one) { return one.leaves <= now; };
        if (is_new_ || std::all_of(visit_.group.begin(), visit_.group.end(), gone)) {
            plan_visit(now);
            is_new_ = false;
        }
        bool has_come = false;
        for (const Person& one : visit_.group) {
            has_come = has_come || one.came <= now;
            if (one.came <= now && !gone(one)) here_.push_back(one);
        }
        lobby_ = script_->lobby > 0 && visit_.reserved <= now && !has_come;
    }
    was_reserved_ = is_reserved();
    if (was_reserved_ && !was_reserved) reserved_since_ = now;
    return here_.size() != was_here || leavers > 0 || had_come != connects_ || was_reserved != is_reserved();
}

std::optional<Clock::time_point> People::next() const {
    if (!script_) return std::nullopt;
    const auto now = Clock::now();
    std::optional<Clock::time_point> first;
    const auto consider = [&](Clock::time_point when) {
        if (when > now && (!first || when < *first)) first = when;
    };
    consider(visit_.reserved);
    for (const Person& one : visit_.group)
        for (const auto when : {one.came, one.plays, one.leaves}) consider(when);
    return first ? first : std::optional(now);
}

std::vector<std::string> People::roll(Clock::time_point now) const {
    std::vector<std::string> lines;
    for (const Person& one : here_)
        lines.push_back(one.name + " for " + milliseconds(now - one.came) + ", " +
                        (one.is_playing(now) ? "playing" : "connecting"));
    if (is_reserved()) lines.push_back("a lobby for " + milliseconds(now - reserved_since_) + ", on its way");
    return lines;
}

}  // namespace standin
