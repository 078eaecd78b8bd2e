#include "specs/selector.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "specs/text.hpp"
#include "specs/text_checks.hpp"

namespace left4me {
namespace {

using Condition = LabelCondition::Kind;

bool is_label(std::string_view text) {
    Violations violations;
    check_label(text, violations);
    return violations.empty();
}

LabelCondition read_condition(std::string_view part) {
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos) {
        const bool absent = part.starts_with('!');
        return {absent ? Condition::Absent : Condition::Exists, std::string(part.substr(absent ? 1 : 0)), {}};
    }
    std::string_view key = part.substr(0, equals);
    std::string_view value = part.substr(equals + 1);
    const bool differs = key.ends_with('!');
    if (differs) key.remove_suffix(1);
    if (!differs && value.starts_with('=')) value.remove_prefix(1);  // kubectl also accepts `==`
    return {differs ? Condition::Differs : Condition::Equals, std::string(key), std::string(value)};
}

bool is_valid(const LabelCondition& condition) {
    const bool compares = condition.kind == Condition::Equals || condition.kind == Condition::Differs;
    return is_label(condition.key) && (!compares || is_label(condition.value));
}

}  // namespace

std::expected<Selector, std::string> parse_selector(std::string_view text) {
    Selector selector;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find(',', begin), text.size());
        LabelCondition condition = read_condition(text.substr(begin, end - begin));
        if (!is_valid(condition)) {
            return std::unexpected(
                fmt::format("{} is not a label selector; write KEY=VALUE, KEY!=VALUE, KEY or !KEY, "
                            "several of them with commas",
                            in_quotes(text.substr(begin, end - begin))));
        }
        selector.push_back(std::move(condition));
        begin = end + 1;
    }
    return selector;
}

bool matches(const Selector& selector, const std::map<std::string, std::string>& labels) {
    return std::all_of(selector.begin(), selector.end(), [&](const LabelCondition& condition) {
        const auto label = labels.find(condition.key);
        const bool there = label != labels.end();
        switch (condition.kind) {
            case Condition::Equals:
                return there && label->second == condition.value;
            case Condition::Differs:
                return !there || label->second != condition.value;
            case Condition::Exists:
                return there;
            case Condition::Absent:
                return !there;
        }
        return false;
    });
}

}  // namespace left4me
