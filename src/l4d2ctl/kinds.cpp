#include "l4d2ctl/kinds.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "specs/name.hpp"

namespace left4me::ctl {

namespace {

Result<void> add_name(Target& target, const std::string& name) {
    if (auto checked = check_name(name); !checked) return checked;
    if (std::find(target.names.begin(), target.names.end(), name) == target.names.end())
        target.names.push_back(name);
    return {};
}

Result<Kind> kind_or_failure(const std::string& word) {
    if (const auto kind = parse_kind(word)) return *kind;
    std::string known;
    for (const KindEntry& kind : kinds())
        known += fmt::format("{}{} ({})", known.empty() ? "" : ", ", kind.plural, kind.short_name);
    return fail(Exit::Usage, fmt::format("\"{}\" is not a kind; there are {} and all", word, known));
}

/// KIND/NAME…, all of one kind.
Result<Target> parse_pairs(const std::vector<std::string>& words) {
    Target target;
    for (const std::string& word : words) {
        const std::size_t slash = word.find('/');
        if (slash == std::string::npos)
            return fail(Exit::Usage, fmt::format("\"{}\": write KIND/NAME here as well", word));
        const auto kind = kind_or_failure(word.substr(0, slash));
        if (!kind) return std::unexpected(kind.error());
        if (slash + 1 == word.size())
            return fail(Exit::Usage, fmt::format("a name is missing after \"{}\"", word));
        if (target.kind && target.kind != *kind) return fail(Exit::Usage, "objects of one kind at a time");
        target.kind = *kind;
        if (auto added = add_name(target, word.substr(slash + 1)); !added)
            return std::unexpected(added.error());
    }
    return target;
}

}  // namespace

Result<Target> parse_target(const std::vector<std::string>& words) {
    if (words.empty()) return fail(Exit::Usage, "which objects? KIND, KIND NAME or KIND/NAME");
    if (words.front().find('/') != std::string::npos) return parse_pairs(words);
    Target target;
    if (words.front() != "all") {
        const auto kind = kind_or_failure(words.front());
        if (!kind) return std::unexpected(kind.error());
        target.kind = *kind;
    } else if (words.size() > 1) {
        return fail(Exit::Usage, "\"all\" takes no name");
    }
    for (std::size_t i = 1; i < words.size(); ++i) {
        if (auto added = add_name(target, words[i]); !added) return std::unexpected(added.error());
    }
    return target;
}

Result<Subject> parse_artifact_owner(const std::vector<std::string>& words, const char* usage) {
    const auto target = parse_target(words);
    if (!target) return std::unexpected(target.error());
    if (!target->kind || !has_artifacts(*target->kind) || target->names.size() != 1)
        return fail(Exit::Usage, usage);
    return Subject{*target->kind, target->names.front()};
}

Result<void> check_name(const std::string& name) {
    if (is_valid_name(name)) return {};
    return fail(Exit::Usage, fmt::format("\"{}\" is not a name: 1 to {} characters of a-z, 0-9 and - inside",
                                         name, max_name_length));
}

Result<std::string> parse_server_name(const std::string& word) {
    const std::size_t slash = word.find('/');
    const bool with_kind = slash != std::string::npos && parse_kind(word.substr(0, slash)) == Kind::Server;
    std::string name = with_kind ? word.substr(slash + 1) : word;
    if (auto checked = check_name(name); !checked) return std::unexpected(checked.error());
    return name;
}

}  // namespace left4me::ctl
