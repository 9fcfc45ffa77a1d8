"""Executes the notebook of a study once more, from runs.csv beside it, and compares what it prints."""

import pathlib
import sys

import nbclient
import nbformat

folder = pathlib.Path(sys.argv[1])
notebook = nbformat.read(folder / "study.ipynb", 4)
nbformat.validate(notebook)


def said(notebook):
    return [output["text"] for cell in notebook.cells if cell.cell_type == "code"
            for output in cell.outputs if output.output_type == "stream"]


before = said(notebook)
executed = sum(cell.cell_type == "code" and cell.execution_count is not None for cell in notebook.cells)
pictures = sum("image/png" in output.get("data", {}) for cell in notebook.cells if cell.cell_type == "code"
               for output in cell.outputs)
nbclient.NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": str(folder)}}).execute()
same = said(notebook) == before
print(f"valid, {executed} code cells executed, {pictures} pictures, the text is {'the same' if same else 'another'}")
