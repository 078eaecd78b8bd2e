#include "l4d2ctl/complete.hpp"

#include <fmt/format.h>
#include <grp.h>

#include <algorithm>

#include "adapters/config/table.hpp"
#include "l4d2ctl/kinds.hpp"
#include "operations/objects.hpp"
#include "specs/explain.hpp"
#include "specs/field_description.hpp"
#include "specs/fields.hpp"

namespace left4me::ctl {

namespace {

constexpr std::string_view ask_the_shell = ":files";

struct Candidate {
    std::string word;
    std::string help;
};
using Candidates = std::vector<Candidate>;

std::vector<std::string> split_names(const std::string& names) {
    std::vector<std::string> split;
    for (std::size_t begin = 0; begin < names.size();) {
        const std::size_t end = std::min(names.find(',', begin), names.size());
        std::string name = names.substr(begin, end - begin);
        // `!--no-follow` is how CLI11 is told of a flag's opposite.
        if (name.starts_with('!')) name.erase(0, 1);
        split.push_back(std::move(name));
        begin = end + 1;
    }
    return split;
}

/// The beginning of what the table says of a field.
std::string up_to(char end, const Field& field) {
    return std::string(field.documentation.substr(0, field.documentation.find(end)));
}

/// The options before a verb.
const std::vector<OptionShape>& common_options() {
    static const std::vector<OptionShape> options{
        {"--config", "The configuration", true, Words::Files, {}},
        {"--help", "Shows the options and an example", false, Words::Nothing, {}},
        {"--version", "Shows the version", false, Words::Nothing, {}},
    };
    return options;
}

const OptionShape* find_option(const std::vector<OptionShape>& options, const std::string& name) {
    for (const OptionShape& option : options) {
        const auto names = split_names(option.names);
        if (std::find(names.begin(), names.end(), name) != names.end()) return &option;
    }
    return nullptr;
}

/// The words typed so far, classified.
struct Typed {
    const VerbShape* verb = nullptr;
    const OptionShape* value_of = nullptr;  ///< the option whose value is at the cursor
    std::vector<std::string> arguments;     ///< of the verb, before the cursor
    std::string config;
};

class Completion {
  public:
    Completion(Session& session, const std::vector<std::string>& words) : session_(session) {
        if (!words.empty()) cursor_ = words.back();
        for (std::size_t i = 0; i + 1 < words.size(); ++i) read(words, i);
        if (!typed_.config.empty()) session_.config_path = typed_.config;
    }

    std::string text() {
        Candidates candidates = find();
        if (candidates.size() == 1 && candidates.front().word == ask_the_shell)
            return std::string(ask_the_shell) + "\n";
        std::string text;
        for (const Candidate& candidate : candidates) {
            if (!candidate.word.starts_with(cursor_)) continue;
            text += candidate.word + (candidate.help.empty() ? "" : "\t" + candidate.help) + "\n";
        }
        return text;
    }

  private:
    const OptionShape* option(const std::string& name) const {
        const OptionShape* found = typed_.verb == nullptr ? nullptr : find_option(typed_.verb->options, name);
        return found == nullptr ? find_option(common_options(), name) : found;
    }

    /// One word before the cursor; `i` skips the value of an option.
    void read(const std::vector<std::string>& words, std::size_t& i) {
        const std::string& word = words[i];
        if (!word.starts_with('-') || word == "-") {
            if (typed_.verb != nullptr) {
                typed_.arguments.push_back(word);
                return;
            }
            const auto named = [&word](const VerbShape& verb) { return verb.name == word; };
            const auto verb = std::find_if(session_.verbs.begin(), session_.verbs.end(), named);
            if (verb != session_.verbs.end()) typed_.verb = &*verb;
            return;
        }
        const std::size_t equals = word.find('=');
        const OptionShape* const shape = option(word.substr(0, equals));
        if (shape == nullptr || !shape->takes_value) return;
        const bool is_config = shape->names == "--config";
        if (equals != std::string::npos) {
            if (is_config) typed_.config = word.substr(equals + 1);
        } else if (i + 2 == words.size()) {
            typed_.value_of = shape;
        } else {
            ++i;
            if (is_config) typed_.config = words[i];
        }
    }

    Candidates find() {
        if (typed_.value_of != nullptr) return values(typed_.value_of->words, typed_.value_of->choices);
        if (cursor_.starts_with("--") && cursor_.find('=') != std::string::npos) return value_behind_equals();
        if (cursor_.starts_with('-')) return options();
        if (typed_.verb == nullptr) return verbs();
        if (typed_.arguments.size() >= typed_.verb->max_arguments) return {};
        return values(typed_.verb->words, typed_.verb->choices);
    }

    Candidates verbs() const {
        Candidates candidates;
        for (const VerbShape& verb : session_.verbs) {
            if (!verb.hidden) candidates.push_back({verb.name, verb.description});
        }
        return candidates;
    }

    Candidates options() const {
        Candidates candidates;
        const auto add = [&candidates](const std::vector<OptionShape>& options) {
            for (const OptionShape& option : options) {
                for (const std::string& name : split_names(option.names))
                    candidates.push_back({name, option.help});
            }
        };
        if (typed_.verb != nullptr) add(typed_.verb->options);
        add(common_options());
        return candidates;
    }

    /// `--output=ya`
    Candidates value_behind_equals() {
        const std::size_t behind = cursor_.find('=') + 1;
        const OptionShape* const shape = option(cursor_.substr(0, behind - 1));
        if (shape == nullptr) return {};
        Candidates candidates = values(shape->words, shape->choices);
        if (candidates.size() == 1 && candidates.front().word == ask_the_shell) return candidates;
        for (Candidate& candidate : candidates) candidate.word.insert(0, cursor_, 0, behind);
        return candidates;
    }

    Candidates values(Words words, const std::vector<std::string>& choices) {
        switch (words) {
            case Words::Nothing:
                return {};
            case Words::Choices: {
                Candidates candidates;
                for (const std::string& choice : choices) candidates.push_back({choice, {}});
                return candidates;
            }
            case Words::Servers:
                return objects_of(Kind::Server, cursor_.find('/') != std::string::npos);
            case Words::Artifacts:
                return artifacts();
            case Words::ServersOrArtifacts: {
                Candidates candidates = artifacts();
                for (Candidate& server : objects_of(Kind::Server, cursor_.find('/') != std::string::npos))
                    candidates.push_back(std::move(server));
                return candidates;
            }
            case Words::Installations:
                return objects_of(Kind::Installation, cursor_.find('/') != std::string::npos);
            case Words::Objects:
                return objects();
            case Words::Fields:
                return fields();
            case Words::Files:
                return {{std::string(ask_the_shell), {}}};
            case Words::Groups:
                return groups();
        }
        return {};
    }

    /// The manifests; empty if they cannot be read.
    const ManifestSet& manifests() {
        if (!set_) {
            set_.emplace();
            if (drop_privileges_and_configure(session_, Access::Read)) {
                if (auto in_force = operations::read_source(session_)) set_ = std::move(in_force->set);
            }
        }
        return *set_;
    }

    /// Names of one kind that were not given yet; `server/NAME` if the word begins like that.
    Candidates objects_of(Kind kind, bool with_kind) {
        const std::string prefix = with_kind ? cursor_.substr(0, cursor_.find('/') + 1) : "";
        if (with_kind && parse_kind(prefix.substr(0, prefix.size() - 1)) != kind) return {};
        Candidates candidates;
        for (const std::string& name : operations::manifest_names(manifests(), kind)) {
            const bool given =
                std::any_of(typed_.arguments.begin(), typed_.arguments.end(), [&](const auto& word) {
                    return word == name || word == std::string(to_string(kind)) + "/" + name;
                });
            if (!given) candidates.push_back({prefix + name, to_string(kind)});
        }
        return candidates;
    }

    Candidates artifacts() {
        Candidates candidates;
        for (const KindEntry& kind : kinds()) {
            if (!has_artifacts(kind.kind)) continue;
            for (const Candidate& candidate : objects_of(kind.kind, false))
                candidates.push_back({std::string(kind.name) + "/" + candidate.word, candidate.help});
        }
        return candidates;
    }

    /// KIND NAME… or KIND/NAME…; `delete` also takes names of servers alone.
    Candidates objects() {
        if (const std::size_t slash = cursor_.find('/'); slash != std::string::npos) {
            const auto kind = parse_kind(cursor_.substr(0, slash));
            return kind ? objects_of(*kind, true) : Candidates();
        }
        const bool plain_names = typed_.verb->name == "delete";
        if (typed_.arguments.empty()) {
            Candidates candidates = plain_names ? objects_of(Kind::Server, false) : Candidates();
            for (const KindEntry& kind : kinds())
                candidates.push_back({std::string(kind.plural), up_to(':', kind.object)});
            if (typed_.verb->name == "get") candidates.push_back({"all", "Every kind"});
            return candidates;
        }
        const auto kind = parse_kind(typed_.arguments.front());
        if (kind) return objects_of(*kind, false);
        return plain_names ? objects_of(Kind::Server, false) : Candidates();
    }

    /// The fields of the part before the last dot.
    Candidates fields() const {
        Candidates candidates;
        const std::size_t dot = cursor_.rfind('.');
        if (dot == std::string::npos) {
            for (const KindEntry& kind : kinds())
                candidates.push_back({std::string(kind.name), up_to(':', kind.object)});
            candidates.push_back({std::string(config_table().name), up_to(':', config_table())});
            return candidates;
        }
        const std::string parent = cursor_.substr(0, dot);
        const Field* const field = find_field(parent, config_table());
        if (field == nullptr || !has_named_children(*field)) return candidates;
        for (const Field& child : field->children) {
            candidates.push_back({fmt::format("{}.{}", parent, child.name), up_to('.', child)});
        }
        return candidates;
    }

    static Candidates groups() {
        Candidates candidates;
        ::setgrent();
        while (const group* const one = ::getgrent()) candidates.push_back({one->gr_name, {}});
        ::endgrent();
        return candidates;
    }

    Session& session_;
    Typed typed_;
    std::string cursor_;
    std::optional<ManifestSet> set_;
};

}  // namespace

void complete(Session& session, const std::vector<std::string>& words) {
    print(Completion(session, words).text());
}

}  // namespace left4me::ctl
