"""Reads a folder's events as TensorBoard does and prints scalars and histograms as JSON."""

import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator as PluginAccumulator
from tensorboard.util import tensor_util

events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "histograms": 0})
events.Reload()
scalars = {tag: [[e.step, e.value] for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}
histograms = {}
for tag in events.Tags()["histograms"]:
    histograms[tag] = [
        {"step": e.step, "min": e.histogram_value.min, "max": e.histogram_value.max, "num": e.histogram_value.num,
         "sum": e.histogram_value.sum, "limits": list(e.histogram_value.bucket_limit),
         "counts": list(e.histogram_value.bucket)}
        for e in events.Histograms(tag)
    ]
# What the web page shows goes through this one, which turns everything into tensors.
shown = PluginAccumulator(sys.argv[1])
shown.Reload()
plugins = {
    tag: shown.SummaryMetadata(tag).plugin_data.plugin_name for tag in shown.Tags()["tensors"]
}
last = {
    tag: float(tensor_util.make_ndarray(shown.Tensors(tag)[-1].tensor_proto))
    for tag, plugin in plugins.items() if plugin == "scalars"
}
print(json.dumps({"scalars": scalars, "histograms": histograms, "plugins": plugins, "last": last}))
