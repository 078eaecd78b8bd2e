#include "operations/cancel.hpp"

#include "adapters/trigger/client.hpp"
#include "operations/events.hpp"
#include "operations/view.hpp"

namespace left4me::operations {

Result<bool> cancel_build(Context& context, const Subject& owner) {
    const std::string& name = owner.name;
    auto view = observe(context);
    if (!view) return std::unexpected(view.error());
    const auto overlay = view->target.overlays.find(name);
    const bool named = overlay != view->target.overlays.end();
    const auto build = view->observed.builds.find(name);
    const bool under_way = build != view->observed.builds.end();
    // A build may outlive its manifest.
    const bool is_there = named ? kind_of_artifacts(view->desired(), name) == owner.kind : under_way;
    if (!is_there) return fail(ErrorKind::NotFound, to_string(owner) + " is not there");
    const bool to_be_built = named && overlay->second.is_unbuilt() && !overlay->second.build->is_canceled();
    if (!under_way && !to_be_built) return false;
    // A unit may still be at what the source was before.
    std::string input = to_be_built ? overlay->second.build->input : std::string();
    if (input.empty() && build->second.progress) input = build->second.progress->input;
    if (const auto canceled = view->machine->cancel_build(name, input); !canceled)
        return fail(ErrorKind::NotDone, canceled.error().message);
    record_event(
        context, {to_string(owner)}, "BuildCanceled",
        under_way ? "a person stopped it; what was copied is kept" : "a person does not want it begun");
    (void)left4me::trigger(context.paths);
    return true;
}

}  // namespace left4me::operations
