#include "builder/check.hpp"

#include <cerrno>
#include <chrono>
#include <string>
#include <utility>

#include "adapters/store/build_files.hpp"
#include "adapters/store/files.hpp"
#include "builder/git/git.hpp"
#include "builder/map_index/map_index.hpp"
#include "builder/say.hpp"
#include "builder/staging.hpp"
#include "builder/steam/steam.hpp"
#include "builder/workshop/workshop.hpp"
#include "reconciler/pinning.hpp"

namespace left4me::builder {

namespace {

Built<Pin> look_up(const OverlaySource& source, int build_directory, const DownloadSettings& downloads) {
    const store::ExactModes exact;
    Progress progress(build_directory);
    if (const auto made = store::make_directory(build_directory, Staging::download_name, 0750); !made)
        return own_failure(errno, made.error());
    return std::visit(
        Overloaded{
            [&](const GitSource& git) -> Built<Pin> {
                return look_up_git(git, build_directory, progress, downloads);
            },
            [&](const WorkshopSource& workshop) -> Built<Pin> {
                return look_up_workshop(workshop, build_directory, progress, downloads);
            },
            [&](const MapIndexSource& index) -> Built<Pin> {
                return look_up_map_index(index, build_directory, progress, downloads);
            },
            [&](const SteamSource&) -> Built<Pin> { return look_up_steam(build_directory, progress); },
            [](const auto&) -> Built<Pin> { return source_failure("this source does not move"); },
        },
        source);
}

void answer(int build_directory, const store::CheckRequest& request, std::expected<Pin, std::string> pin) {
    const store::Upstream upstream{
        request.question, pin_identity(request.source).value_or(""),
        std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()), std::move(pin)};
    say(upstream.pin ? "upstream: " + to_text(*upstream.pin)
                     : "what is upstream cannot be told: " + upstream.pin.error());
    if (const auto written = store::write_upstream(build_directory, upstream); !written) say(written.error());
    store::end_check(build_directory);
}

}  // namespace

bool answer_check(int build_directory, const DownloadSettings& downloads) {
    auto request = store::take_check(build_directory);
    if (!request) return false;
    request->source = without_pin(std::move(request->source));
    auto found = look_up(request->source, build_directory, downloads);
    if (found) {
        answer(build_directory, *request, std::move(*found));
    } else {
        answer(build_directory, *request, std::unexpected(std::move(found.error().message)));
    }
    return true;
}

bool end_killed_check(int build_directory) {
    const auto request = store::read_taken_check(build_directory);
    if (request) answer(build_directory, *request, std::unexpected(std::string("the check was ended")));
    return request.has_value();
}

}  // namespace left4me::builder
