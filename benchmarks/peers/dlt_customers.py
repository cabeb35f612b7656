"""Extract Tripletex's customers with dlt's rest_api source (no load), as its manual has it; prints how many."""

import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")

import dlt
from dlt.sources.rest_api import rest_api_source

address, fields = sys.argv[1:]
source = rest_api_source(
    {
        "client": {
            "base_url": f"{address}/",
            "auth": {"type": "http_basic", "username": "0", "password": "token"},
            "paginator": {
                "type": "offset", "limit": 1000, "offset_param": "from", "limit_param": "count",
                "total_path": None, "stop_after_empty_page": True,
            },
        },
        "resources": [
            {
                "name": "customer",
                "primary_key": "id",
                "endpoint": {
                    "path": "customer", "data_selector": "values", "params": {"sorting": "id", "fields": fields},
                },
            }
        ],
    }
)
with tempfile.TemporaryDirectory() as folder:
    os.environ["DLT_DATA_DIR"] = folder
    pipeline = dlt.pipeline("customers", destination="filesystem", pipelines_dir=str(Path(folder, "pipelines")))
    pipeline.extract(source)
    metrics = pipeline.last_trace.last_extract_info.metrics
    tables = [one["table_metrics"] for several in metrics.values() for one in several]
    print(sum(table["customer"].items_count for table in tables if "customer" in table))
