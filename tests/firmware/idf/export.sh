# As IDF's: sourced, it brings the tools. FAKE_IDF_PYTHON is the Python of "IDF's environment".
export PATH="$IDF_PATH/bin:$PATH"
