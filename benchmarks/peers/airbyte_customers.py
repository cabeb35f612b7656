"""Read Tripletex's customers with airbyte-cdk's declarative source; writes Airbyte's messages."""

import json
import sys
from pathlib import Path

from airbyte_cdk.entrypoint import launch
from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource

address, fields, schema, config, catalog = sys.argv[1:]
MANIFEST = {
    "version": "6.0.0",
    "type": "DeclarativeSource",
    "check": {"type": "CheckStream", "stream_names": ["customer"]},
    "streams": [
        {
            "type": "DeclarativeStream",
            "name": "customer",
            "primary_key": "id",
            "retriever": {
                "type": "SimpleRetriever",
                "requester": {
                    "type": "HttpRequester",
                    "url_base": address,
                    "path": "/customer",
                    "http_method": "GET",
                    "authenticator": {"type": "BasicHttpAuthenticator", "username": "0", "password": "token"},
                    "request_parameters": {"sorting": "id", "fields": fields},
                },
                "record_selector": {
                    "type": "RecordSelector",
                    "extractor": {"type": "DpathExtractor", "field_path": ["values"]},
                },
                "paginator": {
                    "type": "DefaultPaginator",
                    "page_size_option": {
                        "type": "RequestOption", "inject_into": "request_parameter", "field_name": "count",
                    },
                    "page_token_option": {
                        "type": "RequestOption", "inject_into": "request_parameter", "field_name": "from",
                    },
                    "pagination_strategy": {"type": "OffsetIncrement", "page_size": 1000},
                },
            },
            "schema_loader": {"type": "InlineSchemaLoader", "schema": json.loads(Path(schema).read_text())},
        }
    ],
    "spec": {"type": "Spec", "connection_specification": {"type": "object", "properties": {}}},
}
arguments = ["read", "--config", config, "--catalog", catalog]
source = ConcurrentDeclarativeSource(
    source_config=MANIFEST, config={}, catalog=ConcurrentDeclarativeSource.read_catalog(catalog), state=None
)
launch(source, arguments)
