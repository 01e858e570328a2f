"""Zips the functions that `sam build` built and writes `.aws-sam/build/packaged.json`, a template that names the archives.

`make build` does this once. Otherwise `sam deploy` zips all functions again for each local cloud that the tests start. The template
is JSON because `sam deploy` parses it seven times, and parsing YAML takes half a second each time.
"""

import json
import pathlib
import zipfile
from concurrent.futures import ThreadPoolExecutor

from samcli.yamlhelper import yaml_parse

BUILD = pathlib.Path(".aws-sam/build")


def zip_function(folder):
    archive = f"{folder}.zip"
    with zipfile.ZipFile(BUILD / archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.write(BUILD / folder / "bootstrap", "bootstrap")
    return archive


template = yaml_parse((BUILD / "template.yaml").read_text())
functions = [it["Properties"] for it in template["Resources"].values() if it["Type"] == "AWS::Serverless::Function"]

with ThreadPoolExecutor() as threads:
    archives = threads.map(zip_function, [function["CodeUri"] for function in functions])
    for function, archive in zip(functions, archives):
        function["CodeUri"] = archive

(BUILD / "packaged.json").write_text(json.dumps(template, default=str))
