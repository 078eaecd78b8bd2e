#include "builder/git/reference.hpp"

#include <fmt/format.h>

#include "specs/text.hpp"

namespace left4me::builder {

std::vector<std::string> candidates(const std::string& ref) {
    if (ref.empty()) return {"HEAD"};
    if (ref.starts_with("refs/")) return {ref};
    return {"refs/heads/" + ref, "refs/tags/" + ref};
}

Built<ObjectId> choose(const References& known, const std::string& ref) {
    const ObjectId* chosen = nullptr;
    for (const std::string& name : candidates(ref)) {
        const auto found = known.find(name);
        if (found == known.end()) continue;
        if (chosen != nullptr && *chosen != found->second) {
            return source_failure(fmt::format(
                "both a branch and a tag are called {}; write refs/heads/… or refs/tags/…", in_quotes(ref)));
        }
        chosen = &found->second;
    }
    if (chosen != nullptr) return *chosen;
    if (ref.empty()) return source_failure("it has no HEAD; name a branch, a tag or a commit with `ref`");
    const bool shortened = ref.size() >= 7 && ref.find_first_not_of("0123456789abcdef") == std::string::npos;
    return source_failure(fmt::format("it has no {} {}; correct `ref`{}",
                                      ref.starts_with("refs/") ? "ref" : "branch or tag", in_quotes(ref),
                                      shortened ? ", and write all 40 digits of a commit" : ""));
}

}  // namespace left4me::builder
